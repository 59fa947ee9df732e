// npm run soak -- flat [KIND…] [--quick] [--count N] [--json FILE]: does each operation a million times, and looks
// whether memory that is this process's alone has grown, and whether descriptors, threads or mappings have.
// Those that make an object or a process are done less often, as `share` says. What is judged is bytes an operation: in
// memory that is not V8's heap, and in what lives in that heap. First it has to find two leaks that it plants itself.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getHeapSpaceStatistics } from 'node:v8';

import { OPERATIONS, PLANTED } from './flat-operations.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    count: { type: 'string' },
    json: { type: 'string' },
    // In a process of its own.
    one: { type: 'string' },
  },
});
const count = Number(values.count ?? (values.quick ? 10_000 : 1_000_000));

const KINDS = { ...PLANTED, ...OPERATIONS };

/** So often at least, however small the share. */
const LEAST = 500;
/** Of the planted ones. */
const PLANTS = 1000;
/** What an operation may leave, in bytes: nothing is as small. */
const LEFT = 2;
/** Bytes that differ from one look to the next though nothing is left: pages of allocators, and what V8 has for code. */
const NOISE = { beyond: 512 << 10, heap: 256 << 10 };
/** Where objects live; code comes and goes as V8 likes. */
const OBJECTS = /^(new|old|new_large_object|large_object)_space$/;
/** Mappings that V8's heaps differ by. */
const MAPPINGS = 40;
/** What grows once is made once; what leaks grows each time. So many looks have to be flat, of so many. */
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
    heap: spaces
      .filter((space) => OBJECTS.test(space.space_name))
      .reduce((sum, space) => sum + space.space_used_size, 0),
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
    for (let flatOnes = 0; flatOnes < FLAT && looks < LOOKS; looks++) {
      const one = await round(operation, often);
      if (one.flat) flatOnes += 1;
      result = { name, mechanism, ...one, flat: flatOnes === FLAT };
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

/** A kind in a process of its own: memory that others have given back would hide what it takes. */
function alone(name) {
  const args = ['--expose-gc', import.meta.filename, '--one', name, '--count', String(count)];
  const { stdout, status, signal } = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  if (status === 0) {
    const result = JSON.parse(lines.pop());
    console.log(lines.join('\n'));
    return result;
  }
  console.log(`flat: ${name} ended with ${status ?? signal}`);
  const { mechanism } = KINDS[name];
  return { name, mechanism, often: 0, seconds: 0, grown: {}, flat: false };
}

if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
if (values.one === undefined) runAll();
else {
  const kind = KINDS[values.one];
  const often = values.one in PLANTED ? PLANTS : Math.round(count * (kind.share ?? 1));
  console.log(JSON.stringify(await measured(values.one, kind, Math.max(LEAST, often))));
}

function runAll() {
  for (const name of Object.keys(PLANTED)) {
    if (!alone(name).flat) continue;
    console.log(`flat: ${name}, and it is not found`);
    process.exitCode = 1;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(OPERATIONS);
  const results = [];
  for (const name of names) {
    const result = alone(name);
    results.push(result);
    if (!result.flat) process.exitCode = 1;
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
    }
  }
}
