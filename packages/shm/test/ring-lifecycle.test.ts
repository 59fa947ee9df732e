import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { expect, onTestFinished, test } from 'vitest';

import { attach, missing, ring } from './rings.js';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The README's block of this language, for a ring of this name. */
function block(language: string, name: string): string {
  const readme = readFileSync(path('../README.md'), 'utf8');
  const found = new RegExp('```' + language + '\\n([^`]*)```').exec(readme)?.[1] ?? '';
  return found
    .replace('/dev/shm/ring', `/dev/shm${name}`)
    .replace('open("/ring")', `open("${name}")`)
    .replace('node_modules/@octoipc/shm/python', path('../python'));
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-ring-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test.skipIf(missing('cc'))('the README’s program in C sends', async () => {
  const { ring: made, name } = ring();
  const folder = scratch();
  writeFileSync(join(folder, 'send.c'), block('c', name));
  const program = join(folder, 'send');
  execFileSync('cc', ['-I', path('../include'), '-o', program, join(folder, 'send.c')]);
  const consumer = made.consumer();
  execFileSync(program);
  expect(String(await consumer.receive())).toBe('from C');
});

test.skipIf(missing('python3'))('the README’s program in Python sends', async () => {
  const { ring: made, name } = ring();
  const consumer = made.consumer();
  execFileSync('python3', ['-c', block('python', name)]);
  expect(String(await consumer.receive())).toBe('from Python');
});

const WORKER = `
const { ShmRing } = require('@octoipc/shm');
const { parentPort, workerData } = require('node:worker_threads');
const ring = ShmRing.attach(workerData);
ring.producer();
ring.consumer().receive();
parentPort.postMessage('waits');
`;

test('RING-015: a worker that is terminated while it waits leaves its seats', async () => {
  const { name } = ring();
  const worker = new Worker(WORKER, { eval: true, workerData: name });
  await new Promise((resolve) => worker.once('message', resolve));
  const ours = attach(name);
  expect(() => ours.consumer()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  await worker.terminate();
  const consumer = ours.consumer();
  await ours.producer().send('goes on');
  expect(String(await consumer.receive())).toBe('goes on');
});

test('RING-016: who waits on the event loop takes no processor time', async () => {
  const { ring: made } = ring();
  const consumer = made.consumer();
  const before = process.cpuUsage();
  await expect(consumer.receive({ timeout: 1000 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  const { user, system } = process.cpuUsage(before);
  // It looks 50 times; spinning would be a million microseconds.
  expect(user + system).toBeLessThan(500_000);
});
