import { createRequire } from 'node:module';
import { inspect } from 'node:util';

import { pipe } from 'octoipc';
import { describe, expect, it } from 'vitest';

import { home, node } from './command.js';

const direct = createRequire(import.meta.url)('@octoipc/pipe') as object;

/** What of a mechanism a program has in memory: its addon, its JavaScript. */
const LOADED = `
  const { readFileSync } = require('node:fs');
  const { _cache } = require('node:module');
  const maps = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'latin1') : '';
  const { sharedObjects } = process.report.getReport();
  const addon = /\\.node\\b/.test(maps) || sharedObjects.some((file) => file.endsWith('.node'));
  const script = Object.keys(_cache).some((file) => /packages.pipe.dist/.test(file));
  console.log(JSON.stringify({ addon, script }));
`;

const PROGRAMS: [string, string[]][] = [
  [
    'import',
    [
      '--input-type=module',
      '--eval',
      `import * as octoipc from 'octoipc'; import { createRequire } from 'node:module'; const require = createRequire('${home}/x'); USE ${LOADED}`,
    ],
  ],
  ['require', ['--eval', `const octoipc = require('octoipc'); USE ${LOADED}`]],
];

async function loaded(args: readonly string[], use: string): Promise<unknown> {
  const { stdout, stderr } = await node(...args.map((arg) => arg.replace('USE', use)));
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.each(PROGRAMS)('octoipc by %s', (_, args) => {
  it('loads neither addon nor mechanism when it is imported', async () => {
    expect(await loaded(args, '')).toEqual({ addon: false, script: false });
  });

  it('loads the JavaScript of a mechanism when its namespace is looked at', async () => {
    expect(await loaded(args, 'Object.keys(octoipc.pipe);')).toMatchObject({ script: true });
  });

  it('loads the addon of a mechanism when it is used', async () => {
    const use = 'octoipc.pipe.createPipe().close();';
    expect(await loaded(args, use)).toEqual({ addon: true, script: true });
  });
});

describe('namespace', () => {
  it('has the names and values of its package', () => {
    expect(Object.keys(pipe)).toEqual(Object.keys(direct));
    expect({ ...pipe }).toEqual({ ...direct });
    expect(Object.entries(pipe)).toEqual(Object.entries(direct));
  });

  it('destructures, answers in, and describes its properties', () => {
    const { createPipe } = pipe;
    expect(createPipe).toBe(pipe.createPipe);
    expect('createPipe' in pipe).toBe(true);
    expect('createQueue' in pipe).toBe(false);
    expect(Object.hasOwn(pipe, 'splice')).toBe(true);
    expect(Object.getOwnPropertyDescriptor(pipe, 'splice')).toMatchObject({
      value: pipe.splice,
      enumerable: true,
      writable: false,
    });
  });

  it('has the classes that import gives, not copies of them', async () => {
    const imported = await import('@octoipc/pipe');
    expect({ ...pipe }).toEqual({ ...imported });
    expect(pipe.PipeReader).toBe(imported.PipeReader);
  });

  it('cannot be changed, as the namespace of a module cannot', () => {
    const writable = pipe as unknown as Record<string, unknown>;
    expect(() => (writable['createPipe'] = undefined)).toThrow(TypeError);
    expect(() => (writable['other'] = 1)).toThrow(TypeError);
    expect(() => delete writable['createPipe']).toThrow(TypeError);
    expect(() => Object.defineProperty(pipe, 'other', { value: 1 })).toThrow(TypeError);
    expect(Object.isFrozen(pipe)).toBe(true);
  });

  it('is printed with what it has, also when nothing was asked of it before', async () => {
    expect(inspect(pipe)).toContain('createPipe');
    const { stdout } = await node('--eval', "console.log(require('octoipc').pipe)");
    expect(stdout).toContain('createPipe');
  });
});
