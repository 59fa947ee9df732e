import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as pipe from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const run = (...args: string[]) =>
  Peer.node(new URL('fixtures/copies.mjs', import.meta.url), args).report();

test.each(['import', 'require'])(
  'BIND-014 BIND-016: by %s no addon is opened, nor by a refused argument; the first use opens it',
  async (how) => {
    expect(await run('import', how)).toEqual({
      core: 'function',
      imported: 0,
      refused: 'ERR_OUT_OF_RANGE',
      checked: 0,
      used: 1,
    });
  },
);

test.each(['import', 'require'])(
  'there is one copy of each export, whichever comes first: %s',
  async (first) => {
    expect(await run('same', first)).toEqual({ differing: [] });
  },
);

test('BIND-014: imported and required in one process, both work over one addon', async () => {
  expect(await run('both')).toEqual({
    names: true,
    works: [true, true],
    addons: 1,
    stolen: 'EEXIST',
    text: 'across',
    errors: [true, true],
  });
});

test('BIND-013: two copies of the package in one process work, also with each other’s ends', async () => {
  const packages = join(import.meta.dirname, '..', '..');
  const folders = ['one', 'other'].map((name) => {
    const folder = mkdtempSync(join(tmpdir(), `octoipc-${name}-`));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const [pack, parts] of Object.entries({
      core: ['dist'],
      pipe: ['dist', 'build/Release/pipe.node'],
    })) {
      const home = join(folder, 'node_modules', '@octoipc', pack);
      mkdirSync(join(home, 'build/Release'), { recursive: true });
      for (const part of ['package.json', ...parts]) {
        cpSync(join(packages, pack, part), join(home, part), { recursive: true });
      }
    }
    return folder;
  });
  expect(await run('twice', ...folders)).toEqual({
    same: false,
    addons: 2,
    works: [true, true],
    text: 'across',
    count: 6,
  });
});

test('what the package exports is what it promises', () => {
  expect(Object.keys(pipe).toSorted()).toEqual([
    'PipeReader',
    'PipeWriter',
    'createPipe',
    'pipeReceiver',
    'pipeSender',
    'spawnWithPipes',
    'splice',
    'spliceSync',
    'tee',
    'teeSync',
    'trySplice',
    'tryTee',
  ]);
});
