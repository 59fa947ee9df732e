// @ts-check
// octoipc-bench-memory [--quick] [--check] [--json FILE]: what an operation leaves on the heap, and what stays. Each
// subject runs in a process of its own: without collections for the bytes and the objects of one operation,
// then ten million times (--quick: a million) by --trace-gc, of which the last nine tenths must leave the old
// space as it was. Then what a handle costs that is open, and what an import makes resident. With --check the status
// is 1 where a message allocates more than MOST says, or where the old space has grown.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { machine } from './machine.mjs';
import { OPENERS, SUBJECTS } from './sides/memory.mjs';

/**
 * @typedef {object} Memory
 * @property {string} subject
 * @property {number} perOperation - bytes that an operation allocates on the heap
 * @property {number} objects - that an operation allocates
 * @property {number} operations - for which growth was measured
 * @property {number} heapGrowth - bytes of the heap after all of them and a collection, less before
 * @property {number} oldSpaceGrowth
 * @property {number} residentGrowth
 * @property {number} scavenges - collections of the young generation, as --trace-gc tells them
 * @property {number} compactions - of the old one
 */

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const operations = values.quick ? 1_000_000 : 10_000_000;
const side = join(import.meta.dirname, 'sides', 'memory.mjs');

/** The longest that a subject may take. */
const PATIENCE = 300_000;

/** Objects that a message may allocate, there and back together: that which is handed out. */
const MOST = 1;
/**
 * What has more: a message that comes with its priority or type is an object beside its bytes, and a datagram has a list of descriptors
 * and who sent it, too; each that is awaited by itself has a promise, and its `await` takes three objects of the caller's, whose share is
 * less where four come by one; a step of a loop has an object of its own; what is told of a signal holds its numbers and is kept until it
 * is asked for; operations on a set are checked into an object each; how many messages of a broadcast were missed is a BigInt.
 */
const MORE = /** @type {Record<string, number>} */ ({
  'pipe: send, receiveMany, by frames': 2,
  'pipe: send, for await, by frames': 6,
  'mq, POSIX: trySend, tryReceive': 2,
  'mq, POSIX: trySend, receiveMany': 4,
  'mq, System V: trySend, tryReceive': 2,
  'sem, System V: tryOperate, there and back': 2,
  'shm, ring: trySend, receive': 6,
  'shm, ShmBroadcast: send, tryReceive': 2,
  'socket, datagram: trySend, tryReceive': 4,
  'socket, stream: send, receive, by frames': 6,
  'signal: send, tryWait': 6,
});
/** One in so many is not counted: what is allocated once for many. */
const SLACK = 0.25;
/** Bytes of the old space that are not told from none. */
const NOTHING = 256 * 1024;

/** @type {{ subject: string, reason: string }[]} */
const failures = [];

/** @param {string} subject @param {readonly string[]} flags */
function measure(subject, flags) {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--expose-gc', ...flags, side, subject, String(operations)],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: PATIENCE,
      maxBuffer: 1 << 26,
    },
  );
  const outcome = /^\{.*\}$/m.exec(stdout)?.[0];
  if (status === 0 && outcome !== undefined) {
    return {
      ...JSON.parse(outcome),
      scavenges: stdout.match(/: Scavenge /g)?.length ?? 0,
      compactions: stdout.match(/: Mark-Compact /g)?.length ?? 0,
    };
  }
  failures.push({ subject, reason: `status ${status}` });
  console.log(`${subject}: not measured: status ${status}`);
  process.exitCode = 1;
  return undefined;
}

/** Bytes that are resident in a new process once it has imported this, the median of several. */
function residentAfter(/** @type {string} */ specifier) {
  const url = import.meta.resolve(specifier);
  const program = `await import(${JSON.stringify(url)}); console.log(process.memoryUsage.rss())`;
  const sizes = Array.from({ length: 7 }, () =>
    Number(
      spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
        .stdout,
    ),
  );
  return Number(sizes.toSorted((a, b) => a - b)[3]);
}

/** @type {Memory[]} */
const results = [];
console.log(
  `${'subject'.padEnd(48)} ${'bytes each'.padStart(10)} ${'objects'.padStart(8)} ${'old space'.padStart(10)} ${'heap'.padStart(10)} ${'resident'.padStart(10)}`,
);
for (const subject of Object.keys(SUBJECTS)) {
  const outcome = measure(subject, [
    '--trace-gc',
    '--max-semi-space-size=128',
    '--min-semi-space-size=128',
  ]);
  if (outcome === undefined) continue;
  results.push({ subject, ...outcome });
  const { perOperation, objects, oldSpaceGrowth, heapGrowth, residentGrowth } = outcome;
  console.log(
    `${subject.padEnd(48)} ${perOperation.toFixed(0).padStart(10)} ${objects.toFixed(2).padStart(8)} ${kib(oldSpaceGrowth)} ${kib(heapGrowth)} ${kib(residentGrowth)}`,
  );
}
if (values.check) {
  for (const { subject, objects, oldSpaceGrowth } of results) {
    const most = MORE[subject] ?? MOST;
    const faults = [
      ...(objects > most + SLACK ? [`${objects.toFixed(2)} objects, ${most} may be`] : []),
      ...(oldSpaceGrowth > NOTHING ? [`the old space grew by ${kib(oldSpaceGrowth).trim()}`] : []),
    ];
    for (const fault of faults) console.log(`missed: ${subject}: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
}
const handles = Object.keys(OPENERS).flatMap((subject) => {
  const outcome = measure(subject, []);
  if (outcome === undefined) return [];
  const { heap, resident, descriptors } = outcome;
  console.log(
    `${subject.padEnd(48)} ${heap.toFixed(0)} B of heap, ${resident.toFixed(0)} B resident, ${descriptors} descriptors each`,
  );
  return [{ subject, heap, resident, descriptors }];
});
const empty = residentAfter('./sides/empty.mjs');
const imports = [
  ...['fifo', 'mq', 'pipe', 'popen', 'sem', 'shm', 'signal', 'socket'].map(
    (name) => `@octoipc/${name}`,
  ),
  'octoipc',
].map((specifier) => {
  const resident = residentAfter(specifier) - empty;
  console.log(`${`import '${specifier}'`.padEnd(48)} ${kib(resident)} resident`);
  return { specifier, resident };
});
if (values.json !== undefined) {
  const document = { machine: machine(), results, handles, imports, failures };
  writeFileSync(values.json, `${JSON.stringify(document, undefined, 2)}\n`);
}

/** @param {number} bytes */
function kib(bytes) {
  return `${(bytes / 1024).toFixed(0)} KiB`.padStart(10);
}
