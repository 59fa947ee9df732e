import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

import { capabilities } from '@octoipc/core';
import { expect, test } from 'vitest';

import { Peer } from './peer.js';

const entry = (name: string) => capabilities().entries.find((one) => one.name === name);

test('capabilities(): platform, kernel and libc are those of this process', () => {
  const { platform, kernel, libc } = capabilities();
  expect([platform, kernel]).toEqual([process.platform, release()]);
  expect(libc).toMatch(/^(glibc \d+\.\d+|musl)$/);
});

test('capabilities(): what is missing has its remedy, what is there has none', () => {
  const { entries } = capabilities();
  expect(entries.length).toBeGreaterThan(15);
  for (const { name, available, remedy } of entries) {
    expect(remedy !== undefined, name).toBe(!available);
  }
});

test('capabilities(): a limit has the value of its file in /proc/sys', () => {
  const path = '/proc/sys/fs/pipe-max-size';
  expect(existsSync(path)).toBe(true);
  expect(entry('fs.pipe-max-size')).toEqual({
    name: 'fs.pipe-max-size',
    available: true,
    value: Number(readFileSync(path, 'utf8')),
  });
  expect(entry('kernel.sem')?.value).toMatch(/^\d+ \d+ \d+ \d+$/);
});

test('BIND-017 capabilities(): a resource limit is that of this process', async () => {
  const scene = `
    import { capabilities } from '@octoipc/core';
    const { entries } = capabilities();
    console.log(JSON.stringify(entries.find(({ name }) => name === 'RLIMIT_NOFILE')));`;
  const { stdout } = await Peer.start(
    'sh',
    ['-c', `ulimit -n 123 && exec "$0" --input-type=module -e "$1"`, process.execPath, scene],
    { cwd: import.meta.dirname },
  ).ended;
  expect(JSON.parse(stdout)).toEqual({ name: 'RLIMIT_NOFILE', available: true, value: 123 });
});
