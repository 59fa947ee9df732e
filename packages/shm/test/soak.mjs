// npm run soak -- shm [--quick] [--messages N] [--minutes M] [--progress FILE]: a thousand million messages
// through a ring between two processes, each checked; then ping-pongs, for wakes that are lost; then hostile
// bytes under sanitizers. --quick takes seconds. With --minutes it stops sending after so many; with
// --progress it writes down how far it is after each ten million, and goes on from there when it is started
// again.
import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { ShmRing } from '@octoipc/shm';

import { sanitize } from './sanitize.mjs';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    messages: { type: 'string' },
    minutes: { type: 'string', default: 'Infinity' },
    progress: { type: 'string' },
  },
  allowPositionals: true,
});
const { quick } = values;
const MESSAGES = Number(values.messages ?? (quick ? 2e6 : 1e9));
const MINUTES = Number(values.minutes);
assert.ok(Number.isSafeInteger(MESSAGES) && MESSAGES >= 0 && MESSAGES <= 2 ** 32, '--messages');
assert.ok(MINUTES > 0, '--minutes');
/** After so many the two sides compare their checksums. */
const SLICE = 10_000_000;
const PING_PONGS = quick ? 5000 : 100_000;
const FUZZ_ROUNDS = quick ? 10_000 : 300_000;
const CAPACITY = 1 << 20;
const LONGEST = 64;
const BATCH = 256;
/** Of each process's own messages: a checksum over all, which both compute. */
const PRIME = 16_777_619;

/** The length of a message, and what its bytes begin from. */
const stateOf = (number) => Math.imul(number, 2_654_435_761) >>> 0;
const lengthOf = (state) => 8 + (state % (LONGEST - 7));

/** Message number so-and-so, its number and its state, then a pattern. */
function write(bytes, number) {
  const state = stateOf(number);
  const length = lengthOf(state);
  bytes[0] = number;
  bytes[1] = number >>> 8;
  bytes[2] = number >>> 16;
  bytes[3] = number >>> 24;
  for (let i = 4; i < length; i++) bytes[i] = state + i;
  return length;
}

/** Whether it is message number so-and-so; adds to the checksum. */
function check(bytes, number, sum) {
  const state = stateOf(number);
  assert.equal(bytes.length, lengthOf(state), `message ${number} has another length`);
  const got = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
  assert.equal(got, number | 0, `message ${number} is another`);
  for (let i = 4; i < bytes.length; i++) {
    if (bytes[i] !== ((state + i) & 0xff)) assert.fail(`message ${number} is torn at ${i}`);
  }
  return Math.imul(sum ^ bytes[bytes.length - 1], PRIME);
}

async function send(producer, from, to) {
  const memory = Array.from({ length: BATCH }, () => Buffer.alloc(LONGEST));
  let sum = 0;
  for (let number = from; number < to;) {
    const batch = [];
    for (; batch.length < BATCH && number < to; number++) {
      const bytes = memory[batch.length];
      const message = bytes.subarray(0, write(bytes, number));
      sum = Math.imul(sum ^ message[message.length - 1], PRIME);
      batch.push(message);
    }
    await producer.sendMany(batch);
  }
  return sum;
}

/** In turns by all ways to receive. */
async function receive(consumer, from, to) {
  let sum = 0;
  let number = from;
  const take = (bytes) => {
    sum = check(bytes, number, sum);
    number += 1;
  };
  for (let way = 0; ; way++) {
    if (number === to) return sum;
    if (way % 3 === 0) consumer.consume(take);
    else if (way % 3 === 1) for (const message of await consumer.receiveMany()) take(message);
    else take(await consumer.receive());
  }
}

async function echo(name, backName, count) {
  const [ring, back] = [ShmRing.attach(name), ShmRing.attach(backName)];
  const [consumer, producer] = [ring.consumer(), back.producer()];
  process.send('ready');
  for (let i = 0; i < count; i++) await producer.send(await consumer.receive());
}

async function play([role, name, backName]) {
  if (role === 'echo') return echo(name, backName, PING_PONGS);
  const consumer = ShmRing.attach(name).consumer();
  process.on('message', ({ from, to }) => {
    void receive(consumer, from, to).then((sum) => process.send({ sum }));
  });
  process.send('ready');
}

/** Starts this program as the other side; rejects if that fails. */
async function other(...args) {
  const child = fork(import.meta.filename, [...(quick ? ['--quick'] : []), ...args]);
  const failed = once(child, 'exit').then(([code, signal]) => {
    if (code !== 0) throw new Error(`the other side ended with ${code ?? signal}`);
  });
  failed.catch(() => {});
  await Promise.race([once(child, 'message'), failed]);
  return { child, failed };
}

const name = (what) => `/octoipc-soak-${process.pid}-${what}`;
const seconds = (begin) => ((performance.now() - begin) / 1000).toFixed(1);

/** How far it was, and how long that took. */
function progress() {
  const { progress: file } = values;
  const there = file !== undefined && existsSync(file);
  return there ? JSON.parse(readFileSync(file, 'utf8')) : { messages: 0, seconds: 0 };
}

async function flow() {
  const options = { capacity: CAPACITY, maxMessageSize: LONGEST, temporary: true };
  const ring = ShmRing.create(name('flow'), options);
  const { child, failed } = await other('receive', name('flow'));
  const producer = ring.producer();
  const before = progress();
  const begin = performance.now();
  let from = before.messages;
  while (from < MESSAGES && performance.now() - begin < MINUTES * 60_000) {
    const to = Math.min(MESSAGES, from + SLICE);
    const done = once(child, 'message');
    child.send({ from, to });
    const sum = await Promise.race([send(producer, from, to), failed.then(() => done)]);
    const [received] = await done;
    assert.equal(received.sum, sum, 'the checksums differ');
    from = to;
    const so = { messages: from, seconds: before.seconds + Number(seconds(begin)) };
    if (values.progress !== undefined) writeFileSync(values.progress, `${JSON.stringify(so)}\n`);
  }
  const rest = from < MESSAGES ? `; ${MESSAGES - from} are left` : '';
  const took = (before.seconds + Number(seconds(begin))).toFixed(1);
  console.log(`shm: ${from} messages, each as it was sent, in order; ${took} s${rest}`);
  child.disconnect();
  await failed;
  ring.close();
}

async function pingPongs() {
  const [ring, back] = ['forth', 'back'].map((what) =>
    ShmRing.create(name(what), { capacity: 4096, temporary: true }),
  );
  const { failed } = await other('echo', name('forth'), name('back'));
  const begin = performance.now();
  const [producer, consumer] = [ring.producer(), back.consumer()];
  for (let i = 0; i < PING_PONGS; i++) {
    await producer.send(String(i));
    const message = await consumer.receive({ timeout: 30_000 });
    assert.equal(String(message), String(i));
  }
  console.log(`shm: ${PING_PONGS} ping-pongs, no wake lost; ${seconds(begin)} s`);
  await failed;
  ring.close();
  back.close();
}

function fuzz() {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-soak-'));
  try {
    for (const source of ['header-fuzz.c', 'native-fuzz.cc']) {
      const begin = performance.now();
      const program = join(folder, source.replace('.', '-'));
      const seed = String(Date.now() % 2 ** 31);
      sanitize(source, 'address,undefined', program);
      execFileSync(program, [String(FUZZ_ROUNDS), seed], { stdio: 'inherit' });
      console.log(`shm: ${source}: ${FUZZ_ROUNDS} rounds, seed ${seed}; ${seconds(begin)} s`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (positionals.length > 0) {
  await play(positionals);
} else {
  await flow();
  await pingPongs();
  fuzz();
}
