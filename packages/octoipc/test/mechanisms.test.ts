import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { mechanisms } from '../src/tour/mechanisms.js';
import { home, node, octoipc } from './command.js';

const NAMES = ['pipe', 'fifo', 'mq', 'sem', 'shm', 'signal', 'socket', 'popen'];
const present = NAMES.filter((name) => existsSync(join(home, '..', name, 'package.json')));

const MODULES = ['octoipc', ...present.flatMap((name) => [`octoipc/${name}`, `@octoipc/${name}`])];
type Names = Readonly<Record<string, readonly string[]>>;

/** The names that each module exports, told by one program that loads them as a user would. */
async function namesOf(load: string, type: 'commonjs' | 'module'): Promise<Names> {
  const program = `const names = {};
    for (const module of ${JSON.stringify(MODULES)}) names[module] = Object.keys(${load}).sort();
    console.log(JSON.stringify(names));`;
  const { stdout, stderr } = await node(`--input-type=${type}`, '--eval', program);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Names;
}

interface Result {
  readonly mechanism: string;
  readonly verified: boolean;
  readonly error?: string;
}

let [imported, required]: Names[] = [];
let toured: readonly Result[] = [];
let status: number | null;
beforeAll(async () => {
  imported = await namesOf('await import(module)', 'module');
  required = await namesOf('require(module)', 'commonjs');
  const path = join(mkdtempSync(join(tmpdir(), 'octoipc-')), 'payload');
  writeFileSync(path, 'a few bytes');
  const tour = await octoipc('tour', '--json', path);
  rmSync(dirname(path), { recursive: true });
  ({ status } = tour);
  toured = JSON.parse(tour.stdout) as Result[];
});

it('tour stops at the mechanisms that there are, each once', () => {
  expect(mechanisms.map(({ name }) => name)).toEqual(present);
  expect(status, toured.flatMap(({ error }) => error ?? []).join('\n')).toBe(0);
});

describe.each(present)('%s', (name) => {
  it('is a namespace of octoipc, by import and by require', () => {
    expect(imported!['octoipc']).toContain(name);
    expect(required!['octoipc']).toContain(name);
  });

  it('is a subpath with the names of its package, by import and by require', () => {
    expect(Object.keys(manifest.exports)).toContain(`./${name}`);
    for (const names of [imported!, required!]) {
      expect(names[`octoipc/${name}`]!.length).toBeGreaterThan(0);
      expect(names[`octoipc/${name}`]).toEqual(names[`@octoipc/${name}`]);
    }
  });

  it('is shown by the tour, verified', () => {
    const results = toured.filter(({ mechanism }) => mechanism === name);
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) expect(result, result.error).toMatchObject({ verified: true });
  });

  it('is told of in one sentence, and each of its rows in a few words', () => {
    const { purpose, rows } = mechanisms.find((each) => each.name === name)!;
    expect(purpose.length).toBeLessThanOrEqual(72);
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
    for (const { what } of rows) expect(what.length).toBeLessThanOrEqual(24);
  });
});
