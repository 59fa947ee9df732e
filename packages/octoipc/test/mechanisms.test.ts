import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { mechanisms } from '../src/tour/mechanisms.js';
import { file, home, node, octoipc } from './command.js';

const NAMES = ['pipe', 'fifo', 'mq', 'sem', 'shm', 'signal', 'socket', 'popen'];
const present = NAMES.filter((name) => existsSync(join(home, '..', name, 'package.json')));

/** The names that a module exports, printed by a program that loads it as a user would. */
async function namesOf(args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await node(...args);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as string[];
}

const imported = (module: string): Promise<string[]> =>
  namesOf([
    '--input-type=module',
    '--eval',
    `console.log(JSON.stringify(Object.keys(await import('${module}'))))`,
  ]);
const required = (module: string): Promise<string[]> =>
  namesOf(['--eval', `console.log(JSON.stringify(Object.keys(require('${module}')).sort()))`]);

it('tour stops at the mechanisms that there are, each once', () => {
  expect(mechanisms.map(({ name }) => name)).toEqual(present);
});

describe.each(present)('%s', (name) => {
  it('is a namespace of octoipc, by import and by require', async () => {
    expect(await imported('octoipc')).toContain(name);
    expect(await required('octoipc')).toContain(name);
  });

  it('is a subpath with the names of its package, by import and by require', async () => {
    expect(Object.keys(manifest.exports)).toContain(`./${name}`);
    expect(await imported(`octoipc/${name}`)).toEqual(await imported(`@octoipc/${name}`));
    expect(await required(`octoipc/${name}`)).toEqual(await required(`@octoipc/${name}`));
  });

  it('is shown by the tour, verified', async () => {
    const { status, stdout } = await octoipc('tour', '--json', '--only', name, file('a few bytes'));
    const results = JSON.parse(stdout) as { mechanism: string; verified: boolean }[];
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) expect(result).toMatchObject({ mechanism: name, verified: true });
    expect(status).toBe(0);
  });

  it('is told of in one sentence, and each of its rows in a few words', () => {
    const { purpose, rows } = mechanisms.find((each) => each.name === name)!;
    expect(purpose.length).toBeLessThanOrEqual(72);
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
    for (const { what } of rows) expect(what.length).toBeLessThanOrEqual(24);
  });
});
