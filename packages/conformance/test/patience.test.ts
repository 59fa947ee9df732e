import { expect, onTestFinished, test, vi } from 'vitest';

import type { Adapter } from '../src/adapter.js';
import type { Case } from '../src/case.js';

const adapter: Adapter = { name: 'nothing', mechanism: 'MINE' };
const endless: Case<Adapter> = {
  key: 'endless',
  ids: '',
  promise: 'never ends',
  watchdog: 10,
  run: () => new Promise(() => {}),
};

test.each([
  [undefined, 10],
  ['3', 30],
  ['0', 10],
  ['much', 10],
])('OCTOIPC_PATIENCE=%s gives a case that has 10 ms %s ms', async (value, milliseconds) => {
  vi.stubEnv('OCTOIPC_PATIENCE', value);
  vi.resetModules();
  onTestFinished(() => void vi.unstubAllEnvs());
  const { runCase } = await import('../src/case.js');
  await expect(runCase(endless, adapter)).rejects.toThrow(`not done after ${milliseconds} ms`);
});
