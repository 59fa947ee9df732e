// npm run soak -- sem [--quick]: processes that lock, hold and unlock are killed at random moments, 1,000
// times for each way of waiting: blocked, awaited, and awaited by 50 handles. Whoever waits must have the lock
// within 50 ms. In turns with it runs C's robust mutex: what the machine itself takes shows there.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { Mutex } from '@octoipc/sem';

const LIMIT = 50;
const HANDLES = 50;
/** Programs that are started ahead. */
const AHEAD = 3;
const asked = process.argv.find((arg) => /^\d+$/.test(arg));
const quick = process.argv.includes('--quick');
const rounds = Number(asked ?? (quick ? 20 : 1000));

const path = (file) => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'octoipc-soak-'));
const name = `/octoipc-soak-${process.pid}-${randomBytes(4).toString('hex')}`;
const now = () => process.hrtime.bigint();
/** @param {bigint} nanoseconds */
const milliseconds = (nanoseconds) => Number(nanoseconds) / 1e6;

/** Victims, each of which has had the lock when it is given out. */
class Victims {
  #ready = [];

  constructor() {
    for (let i = 0; i < AHEAD; i++) this.#ready.push(this.#start());
  }

  #start() {
    const child = spawn(process.execPath, [path('peer.mjs'), 'hold-and-go', name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, lines, begun: lines.next() };
  }

  /** One that works from now on. */
  async next() {
    const victim = this.#ready.shift();
    this.#ready.push(this.#start());
    await victim.begun;
    victim.child.stdin.write('go\n');
    await victim.lines.next();
    return victim.child;
  }

  async end() {
    for (const { child } of this.#ready) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

/** Kills a process some time later; when that was. */
async function killSometime(child) {
  await setTimeout(1 + Math.random() * 4);
  const at = now();
  child.kill('SIGKILL');
  return at;
}

/** Each way takes a victim that works, and gives how long after its death somebody else had the lock, in ms. */
const ways = {
  /** A worker that is blocked in lockSync(). */
  async sync(victim) {
    const at = await killSometime(victim);
    while (Atomics.load(taker.last, 0) <= at) await setTimeout(1);
    return Number(taker.last[0] - at) / 1e6;
  },

  /** lock(), again and again. */
  async async(victim) {
    let killedAt;
    void killSometime(victim).then((at) => (killedAt = at));
    for (;;) {
      const had = await pass(mutex);
      if (killedAt !== undefined && had > killedAt) return milliseconds(had - killedAt);
      await setImmediate();
    }
  },

  /** lock() of 50 handles, all of whom get it; the first is what counts. */
  async fifty(victim) {
    const held = [];
    const waits = handles.map(async (handle) => held.push(await pass(handle)));
    let killedAt;
    void killSometime(victim).then((at) => (killedAt = at));
    await Promise.all(waits);
    for (;;) {
      const had = held.find((time) => killedAt !== undefined && time > killedAt);
      if (had !== undefined) return milliseconds(had - killedAt);
      held.length = 0;
      await Promise.all(handles.map(async (handle) => held.push(await pass(handle))));
      await setImmediate();
    }
  },
};

/** Takes a lock, and lets it go; when it had it. */
async function pass(handle) {
  const guard = await handle.lock();
  const had = now();
  if (guard.recovered) guard.markConsistent();
  guard.unlock();
  return had;
}

/** A worker that is blocked for as long as it is wanted. */
class Taker {
  last = new BigInt64Array(new SharedArrayBuffer(8));
  #over = new Int32Array(new SharedArrayBuffer(4));
  #worker;

  start() {
    Atomics.store(this.#over, 0, 0);
    const workerData = { name, last: this.last, over: this.#over };
    this.#worker = new Worker(path('taker.mjs'), { workerData });
  }

  async end() {
    Atomics.store(this.#over, 0, 1);
    await once(this.#worker, 'exit');
  }
}

function report(what, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))].toFixed(2);
  const late = times.filter((time) => time > LIMIT).length;
  console.log(
    `sem: ${what.padEnd(22)} ${times.length} deaths; median ${at(0.5)} ms, p90 ${at(0.9)}, p99 ${at(0.99)}, longest ${at(1)}; ${late} over ${LIMIT} ms`,
  );
  return late;
}

const mutex = Mutex.open(name, { create: true, temporary: true });
const handles = Array.from({ length: HANDLES }, () => Mutex.open(name));
const taker = new Taker();
const robust = join(folder, 'robust');
execFileSync('cc', ['-O2', '-Wall', '-pthread', '-o', robust, path('robust.c')]);
const c = spawn(robust, { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: c.stdout })[Symbol.asyncIterator]();
const victims = new Victims();

try {
  for (const [way, one] of Object.entries(ways)) {
    const before = loadavg()[0].toFixed(1);
    const ours = [];
    const theirs = [];
    if (way === 'sync') taker.start();
    for (let i = 0; i < rounds; i++) {
      const victim = await victims.next();
      const ended = once(victim, 'exit');
      ours.push(await one(victim));
      await ended;
      c.stdin.write('\n');
      theirs.push(Number((await lines.next()).value) / 1e6);
    }
    if (way === 'sync') await taker.end();
    const late = report(way, ours);
    const lateOfC = report('C, robust mutex', theirs);
    console.log(`     load ${before} to ${loadavg()[0].toFixed(1)}`);
    // What the machine does to C as well is not ours; a few deaths say nothing of time.
    if (!quick && late > lateOfC) process.exitCode = 1;
  }
} finally {
  await victims.end();
  c.stdin.end();
  for (const handle of handles) handle.close();
  mutex.close();
  rmSync(folder, { recursive: true });
}
