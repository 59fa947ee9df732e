import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { reap, type ReapReport } from '@octoipc/core';
import { registerReaper, Temporary, type Reaper } from '@octoipc/core/kit';
import { describe, expect, onTestFinished, test } from 'vitest';

import { ownRecords } from './records.js';

const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);
const owner = fixture('temporary-owner.mjs');

const identify = (path: string): { dev: number; ino: number } | null => {
  if (!existsSync(path)) return null;
  const { dev, ino } = statSync(path);
  return { dev, ino };
};

const plain: Reaper = { identify, remove: unlinkSync };
registerReaper('test-file', plain);

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'octoipc-temporary-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'object');
}

function temporaryFile(path: string, reaper: Partial<Reaper>): Temporary {
  const temporary = new Temporary('test-file', path, { ...plain, ...reaper });
  writeFileSync(path, 'x');
  temporary.created(identify(path)!);
  return temporary;
}

const reportOf = (path: string, reports: readonly ReapReport[]): ReapReport | undefined =>
  reports.find(({ name }) => name === path);

test('Temporary.end() removes the object and the record', () => {
  const path = newPath();
  temporaryFile(path, {}).end();
  expect(existsSync(path)).toBe(false);
  expect(ownRecords()).toEqual({ open: [], files: [] });
});

test.each([
  ['remove', 'EBUSY'],
  ['identify', 'EMFILE'],
] as const)(
  'Temporary.end() keeps the record, and no descriptor, as long as %s() fails',
  (call, code) => {
    const path = newPath();
    let failing = false;
    const reaper: Reaper = {
      identify: (name) => (fail('identify'), identify(name)),
      remove: (name) => (fail('remove'), unlinkSync(name)),
    };
    const fail = (now: string): void => {
      if (failing && now === call) throw Object.assign(new Error('no'), { code });
    };
    const temporary = temporaryFile(path, reaper);
    failing = true;
    temporary.end();
    temporary.end();
    expect(existsSync(path)).toBe(true);
    expect(ownRecords()).toMatchObject({ open: [], files: [expect.any(String)] });
    expect(reportOf(path, reap())).toMatchObject({ removed: false, reason: 'its owner lives' });
    failing = false;
    temporary.end();
    expect(existsSync(path)).toBe(false);
    expect(ownRecords()).toEqual({ open: [], files: [] });
  },
);

test('Temporary.end() forgets an object that somebody else removed at the same moment', () => {
  const path = newPath();
  const temporary = temporaryFile(path, {
    remove(name) {
      unlinkSync(name);
      unlinkSync(name);
    },
  });
  temporary.end();
  expect(ownRecords()).toEqual({ open: [], files: [] });
});

test('Temporary.end() leaves what cannot be removed to reap()', () => {
  const path = newPath();
  const { status, stderr } = spawnSync(process.execPath, [owner, path], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(existsSync(path)).toBe(true);
  expect(reportOf(path, reap())).toMatchObject({ kind: 'test-file', removed: true });
  expect(existsSync(path)).toBe(false);
});

test('Temporary.end() removes an object whose record could not be completed', () => {
  const path = newPath();
  const temporary = new Temporary('test-file', path, plain);
  writeFileSync(path, 'x');
  const endless: Record<string, unknown> = { ...identify(path) };
  endless['toJSON'] = () => {
    throw new Error('the record cannot be written');
  };
  expect(() => temporary.created(endless as never)).toThrow('cannot be written');
  delete endless['toJSON'];
  temporary.end();
  expect(existsSync(path)).toBe(false);
  expect(ownRecords()).toEqual({ open: [], files: [] });
});

describe('a worker that is terminated', () => {
  test.each([
    ['takes its temporary object and the record with it', false],
    ['leaves an object that has taken the name, and takes the record with it', true],
  ])('%s', async (_, another) => {
    const path = newPath();
    const worker = new Worker(fixture('temporary-worker.mjs'), { workerData: { path, another } });
    onTestFinished(() => void worker.terminate());
    await once(worker, 'message');
    expect(ownRecords().files).toHaveLength(1);
    await worker.terminate();
    expect(existsSync(path)).toBe(another);
    expect(ownRecords()).toEqual({ open: [], files: [] });
  });
});
