import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadBinding } from '@octoipc/core/kit';
import { expect, onTestFinished, test } from 'vitest';

import { failure } from './failure.js';
import { kit } from './kit-binding.js';

function packageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-binding-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package.json'), '{}');
  return folder;
}

test('BIND-016: a binding that is not there is ERR_UNSUPPORTED, and says what to do', async () => {
  const folder = packageFolder();
  const error = await failure(() => loadBinding(join(folder, 'package.json'), 'pipe'));
  expect(error).toMatchObject({ name: 'IpcError', code: 'ERR_UNSUPPORTED' });
  expect(String(error.target)).toContain(folder);
  expect(error.hint).toBeTruthy();
});

test('BIND-016: a binding that does not load is ERR_UNSUPPORTED, with its cause', async () => {
  const folder = packageFolder();
  mkdirSync(join(folder, 'build/Release'), { recursive: true });
  writeFileSync(join(folder, 'build/Release/pipe.node'), 'no shared object');
  const error = await failure(() => loadBinding(join(folder, 'package.json'), 'pipe'));
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', cause: { code: 'ERR_DLOPEN_FAILED' } });
});

test('a binding is loaded once per thread', () => {
  const manifest = join(import.meta.dirname, '..', 'package.json');
  expect(loadBinding(manifest, 'kit_test')).toBe(kit);
});
