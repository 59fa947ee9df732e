// npm run soak -- flat [KIND…] [--quick] [--count N] [--json FILE]: does each operation a million times, and looks
// whether memory that is this process's alone has grown, and whether descriptors, threads or mappings have.
// Those that make an object or a process are done less often, as `share` says. What is judged is bytes an operation: in
// memory that is not V8's heap, and in what lives in that heap. First it has to find two leaks that it plants itself.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

import { OPERATIONS, PLANTED } from './flat-operations.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    count: { type: 'string' },
    json: { type: 'string' },
  },
});
const count = Number(values.count ?? (values.quick ? 10_000 : 1_000_000));

/** So often at least, however small the share. */
const LEAST = 1000;
/** What an operation may leave, in bytes: nothing is as small. */
const LEFT = 2;
/** Bytes that differ from one look to the next though nothing is left: pages of allocators, and code that V8 makes. */
const NOISE = { beyond: 512 << 10, heap: 128 << 10 };
/** Mappings that V8's heaps differ by. */
const MAPPINGS = 40;
/** What grows once is made once; what leaks grows each time. So many looks in a row have to be flat, of so many. */
const FLAT = 2;
const LOOKS = 8;

const linesOf = (path) => readFileSync(path, 'latin1').split('\n');

async function census() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await setImmediate();
  }
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  const own = 1024 * Number(/^Private_Dirty:\s*(\d+)/m.exec(rollup)[1]);
  const spaces = getHeapSpaceStatistics();
  return {
    beyond: own - spaces.reduce((sum, space) => sum + space.physical_space_size, 0),
    heap: getHeapStatistics().used_heap_size,
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: linesOf('/proc/self/maps').length,
  };
}

async function times(operation, often) {
  for (let i = 0; i < often; i++) {
    await operation(i);
    // What is answered at once never lets the loop turn, and finalizers wait for that.
    if (i % 1000 === 999) await setImmediate();
  }
}

/** A kind's operation, so often between two looks. */
async function measured(name, { mechanism, make }, often) {
  const { operation, end } = await make();
  try {
    await times(operation, often);
    let result;
    let looks = 0;
    for (let inARow = 0; inARow < FLAT && looks < LOOKS; looks++) {
      const one = await round(operation, often);
      inARow = one.flat ? inARow + 1 : 0;
      result = { name, mechanism, ...one, flat: inARow === FLAT };
    }
    const { grown, flat, seconds } = result;
    const each = (bytes) => (bytes / often).toFixed(2);
    console.log(
      `flat: ${name.padEnd(26)} ${String(often * looks).padStart(8)} times, the last ${often} in ${seconds.toFixed(1)} s: ${each(grown.beyond)} bytes each, and ${each(grown.heap)} of V8's, ${grown.descriptors} descriptors, ${grown.threads} threads, ${grown.mappings} mappings${flat ? '' : ': it grows'}`,
    );
    return { ...result, often: often * looks };
  } finally {
    await end();
  }
}

async function round(operation, often) {
  const before = await census();
  const begin = performance.now();
  await times(operation, often);
  const seconds = (performance.now() - begin) / 1000;
  const after = await census();
  const grown = Object.fromEntries(
    Object.entries(after).map(([what, value]) => [what, value - before[what]]),
  );
  const flat =
    grown.beyond < NOISE.beyond + LEFT * often &&
    grown.heap < NOISE.heap + LEFT * often &&
    grown.descriptors <= 0 &&
    grown.threads <= 0 &&
    grown.mappings <= MAPPINGS;
  return { seconds, grown, flat };
}

if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
for (const [name, planted] of Object.entries(PLANTED)) {
  const { flat } = await measured(name, planted, LEAST);
  if (!flat) continue;
  console.log(`flat: ${name}, and it is not found`);
  process.exitCode = 1;
}
const names = positionals.length > 0 ? positionals : Object.keys(OPERATIONS);
const results = [];
for (const name of names) {
  const kind = OPERATIONS[name];
  const result = await measured(name, kind, Math.max(LEAST, Math.round(count * (kind.share ?? 1))));
  results.push(result);
  if (!result.flat) process.exitCode = 1;
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
  }
}
