import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { expect, onTestFinished, test } from 'vitest';

import { broadcast, value } from './racing.js';
import { attach, missing, ring } from './rings.js';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The README's program in this language that has this in it, with other names. */
function block(language: string, what: string, names: Record<string, string>): string {
  const readme = readFileSync(path('../README.md'), 'utf8');
  const blocks = readme.matchAll(new RegExp('```' + language + '\\n([^`]*)```', 'g'));
  let program = [...blocks].map((match) => match[1]!).find((text) => text.includes(what)) ?? '';
  for (const [name, ours] of Object.entries(names))
    program = program.replaceAll(`${name}"`, `${ours}"`);
  return program.replace('node_modules/@octoipc/shm/python', path('../python'));
}

/** Compiles a program. */
function compiled(text: string): string {
  const folder = scratch();
  const program = join(folder, 'program');
  writeFileSync(`${program}.c`, text);
  const flags = ['-std=gnu11', '-Wall', '-Werror', '-I', path('../include')];
  execFileSync('cc', [...flags, '-o', program, `${program}.c`]);
  return program;
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-ring-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test.skipIf(missing('cc'))('the README’s program in C sends', async () => {
  const { ring: made, name } = ring();
  const program = compiled(block('c', 'ring.h', { '/ring': name }));
  const consumer = made.consumer();
  execFileSync(program);
  expect(String(await consumer.receive())).toBe('from C');
});

test.skipIf(missing('python3'))('the README’s program in Python sends', async () => {
  const { ring: made, name } = ring();
  const consumer = made.consumer();
  execFileSync('python3', ['-c', block('python', 'octoipc_ring', { '/ring': name })]);
  expect(String(await consumer.receive())).toBe('from Python');
});

test.skipIf(missing('cc'))('the README’s reader in C tells of broadcast and value', () => {
  const { broadcast: prices, name } = broadcast();
  const { value: progress, name: other } = value();
  prices.producer().send('101.5');
  progress.set('20 %');
  const program = block('c', 'value.h', { '/prices': name, '/progress': other });
  expect(String(execFileSync(compiled(program)))).toBe('101.5, missed 0\n20 %\n');
});

test.skipIf(missing('python3'))(
  'the README’s reader in Python tells of broadcast and value',
  () => {
    const { broadcast: prices, name } = broadcast();
    const { value: progress, name: other } = value();
    prices.producer().send('101.5');
    progress.set('20 %');
    const program = block('python', 'octoipc_value', { '/prices': name, '/progress': other });
    expect(String(execFileSync('python3', ['-c', program]))).toBe('101.5\n20 %\n');
    expect(String(progress.get())).toBe('from Python');
  },
);

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

test('sendMany() sends what it was given, whatever becomes of the array while it waits', async () => {
  const { ring: made } = ring({ capacity: 64 });
  const [producer, consumer] = [made.producer(), made.consumer()];
  const given = Array.from({ length: 10 }, (_, i) => Buffer.alloc(16, i));
  const sent = producer.sendMany(given);
  given.fill(Buffer.from('other'));
  const got: Buffer[] = [];
  while (got.length < 10) got.push(...(await consumer.receiveMany()));
  await sent;
  expect(got).toEqual(Array.from({ length: 10 }, (_, i) => Buffer.alloc(16, i)));
});
