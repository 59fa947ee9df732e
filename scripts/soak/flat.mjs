// npm run soak -- flat [KIND…] [--quick] [--count N] [--json FILE]: does each operation a million times, and looks
// whether memory that is this process's alone has grown, and whether descriptors, threads or mappings have.
// Those that make an object or a process are done less often, as `share` says.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { OPERATIONS } from './flat-operations.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    count: { type: 'string' },
    json: { type: 'string' },
  },
});
const count = Number(values.count ?? (values.quick ? 10_000 : 1_000_000));

/** Bytes that V8's own heaps differ by from one time to the next. */
const NOISE = 4 << 20;
/** Mappings that V8's heaps differ by. */
const MAPPINGS = 40;
/** What grows once is made once, and V8's heaps grow for some 40,000 operations; what leaks grows each time. */
const LOOKS = 6;

const linesOf = (path) => readFileSync(path, 'latin1').split('\n');

async function census() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await setImmediate();
  }
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  return {
    bytes: 1024 * Number(/^Private_Dirty:\s*(\d+)/m.exec(rollup)[1]),
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

async function measured(name, { mechanism, make, share = 1 }) {
  const often = Math.max(100, Math.round(count * share));
  const { operation, end } = await make();
  try {
    await times(operation, often);
    let result;
    for (let look = 1; look <= LOOKS && result?.flat !== true; look++) {
      result = { name, mechanism, often: often * look, ...(await round(operation, often)) };
    }
    const { grown, flat, seconds } = result;
    console.log(
      `flat: ${name.padEnd(26)} ${String(result.often).padStart(8)} times in ${seconds.toFixed(1)} s: ${(grown.bytes / 1024).toFixed(0)} KiB, ${grown.descriptors} descriptors, ${grown.threads} threads, ${grown.mappings} mappings${flat ? '' : ': it grows'}`,
    );
    return result;
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
    grown.bytes < NOISE &&
    grown.descriptors <= 0 &&
    grown.threads <= 0 &&
    grown.mappings <= MAPPINGS;
  return { seconds, grown, flat };
}

if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
const names = positionals.length > 0 ? positionals : Object.keys(OPERATIONS);
const results = [];
for (const name of names) {
  const result = await measured(name, OPERATIONS[name]);
  results.push(result);
  if (!result.flat) process.exitCode = 1;
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
  }
}
