import { Worker } from 'node:worker_threads';

import { popenSync } from '@octoipc/popen';
import { expect, test } from 'vitest';

import { failure } from '../../core/test/failure.js';
import { descriptors, until } from '../../core/test/proc.js';
import { livingInGroup, zombies } from './started.js';

const MIB = 1024 * 1024;

test('popenSync() gives stdout, stderr and the status', () => {
  const { stdout, stderr, status } = popenSync('echo out; echo err >&2; exit 3');
  expect([String(stdout), String(stderr)]).toEqual(['out\n', 'err\n']);
  expect(status).toMatchObject({ code: 3, signal: null, ok: false, timedOut: false });
  expect(popenSync('kill -9 $$').status).toMatchObject({ code: null, signal: 'SIGKILL' });
});

test('popenSync() without input has an empty stdin, stderr goes where it is told', () => {
  expect(popenSync(['cat']).stdout).toHaveLength(0);
  const command = 'echo out; echo err >&2';
  expect(String(popenSync(command, { stderr: 'stdout' }).stdout)).toBe('out\nerr\n');
  expect(popenSync(command, { stderr: 'ignore' }).stderr).toHaveLength(0);
});

test('POPEN-010: popenSync() moves 64 MiB in, out and through stderr at once', () => {
  const input = Buffer.alloc(64 * MIB, 'in and out. ');
  const { stdout, stderr, status } = popenSync(['tee', '/dev/stderr'], { input });
  expect(status.ok).toBe(true);
  expect(stdout.equals(input)).toBe(true);
  expect(stderr.equals(input)).toBe(true);
});

test('POPEN-013: popenSync() does not mind a program that leaves its input', () => {
  const { stdout, status } = popenSync('head -c 2', { input: Buffer.alloc(8 * MIB, 'x') });
  expect([String(stdout), status.code]).toEqual(['xx', 0]);
});

test('POPEN-027: popenSync() over maxBuffer throws, with the exact beginning of both', async () => {
  const error = await failure(() => popenSync('yes', { maxBuffer: 1001 }));
  expect(error).toMatchObject({ code: 'EMSGSIZE', stdout: Buffer.alloc(1001, 'y\n') });
  const loud = await failure(() => popenSync('yes >&2', { maxBuffer: 9 }));
  expect(loud).toMatchObject({ code: 'EMSGSIZE', stderr: 'y\ny\ny\ny\ny' });
  expect(popenSync('printf 123', { maxBuffer: 3 }).stdout).toHaveLength(3);
});

test('popenSync() with check throws with the end of stderr', async () => {
  const error = await failure(() => popenSync('echo why >&2; exit 9', { check: true }));
  expect(error).toMatchObject({ code: 'ERR_PROCESS_FAILED', status: { code: 9 } });
  expect(error.message).toContain('why');
  const late = await failure(() => popenSync('sleep 600', { check: true, timeout: 20 }));
  expect(late).toMatchObject({ code: 'ETIMEDOUT', status: { timedOut: true } });
});

test('POPEN-025: popenSync() settles in time while a grandchild holds the pipe', () => {
  const began = performance.now();
  const { stdout, status } = popenSync('echo $$; sleep 600 &', { timeout: 300 });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(status).toMatchObject({ code: 0, timedOut: true, ok: false });
  expect(livingInGroup(Number(String(stdout)))).toEqual([]);
});

test('popenSync() leaves no zombie and no descriptor', async () => {
  popenSync('true');
  const before = [...descriptors().keys()];
  for (let i = 0; i < 20; i++) popenSync('cat; exit 1', { input: 'x' });
  expect([...descriptors().keys()].filter((fd) => !before.includes(fd))).toEqual([]);
  expect(zombies()).toEqual([]);
});

test('a worker that blocks in popenSync() can be terminated, and its program is reaped', async () => {
  const script = `
    const { popenSync } = require('@octoipc/popen');
    require('node:worker_threads').parentPort.postMessage('ready');
    popenSync('exec sleep 1');
  `;
  const worker = new Worker(script, { eval: true });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  await until(() => zombies().length === 0);
});
