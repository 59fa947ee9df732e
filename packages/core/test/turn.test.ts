import { Turn } from '@octoipc/core/kit';
import { expect, test } from 'vitest';

import { codeOf } from './failure.js';

const details = { syscall: 'receive' };

test('Turn: one at a time, first come, first served', async () => {
  const turn = new Turn();
  const log: string[] = [];
  const work = async (name: string) => {
    await turn.take({}, details);
    log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} ends`);
    turn.pass();
  };
  await Promise.all(['a', 'b', 'c'].map(work));
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(turn.taken).toBe(false);
});

test('Turn: one that timed out or was aborted is skipped', async () => {
  const turn = new Turn();
  await turn.take({}, details);
  const controller = new AbortController();
  const late = turn.take({ timeout: 1 }, details);
  const aborted = turn.take({ signal: controller.signal }, details);
  const patient = turn.take({}, details);
  expect(await codeOf(() => late)).toBe('ETIMEDOUT');
  controller.abort('no more');
  expect(await aborted.catch((reason: unknown) => reason)).toBe('no more');
  turn.pass();
  await patient;
  expect(turn.taken).toBe(true);
});

test('Turn.fail(() => ) rejects those who wait; who has the turn keeps it', async () => {
  const turn = new Turn();
  await turn.take({}, details);
  const waits = [turn.take({}, details), turn.take({}, details)];
  const error = new Error('closed');
  turn.fail(() => error);
  expect(await Promise.allSettled(waits)).toEqual([
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: error },
  ]);
  expect(turn.taken).toBe(true);
  turn.pass();
  await turn.take({ timeout: 0 }, details);
});
