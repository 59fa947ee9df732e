// child.mjs SCENE FILE: plays a scene whenever the first word of the mapped file says so, and writes what
// came of it there. Between scenes it makes no system call that is traced, so whatever fault there is meets the
// scene.
import { readdirSync, readFileSync } from 'node:fs';

import { runtimeThreads } from '../tracer/tracer.mjs';

// Before anything of ours is loaded.
const threads = await runtimeThreads();
const { SharedMemory } = await import('@octoipc/shm');
const { AFTERWARDS } = await import('./scene.mjs');
const { SCENES } = await import('./scenes.mjs');

const [name, file] = process.argv.slice(2);
const memory = SharedMemory.file(file);
const [GO, READY] = [1, 2];
const words = memory.view(Int32Array, 0, 2);
const scene = SCENES[name];

const lines = (path, pattern) => readFileSync(path, 'latin1').match(pattern)?.length ?? 0;

/** What a scene must not leave: descriptors, shared mappings, children. */
function held() {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mappings: lines('/proc/self/maps', /^\S+ ...s/gm),
    children: lines(`/proc/self/task/${process.pid}/children`, /\d+/g),
  };
}

function more(before) {
  const now = held();
  return Object.entries(now)
    .map(([what, count]) => [what, count - before[what]])
    .filter(([, count]) => count > 0);
}

/** What is closed by the loop, or when a child has ended, is closed after a while. */
async function settled(before) {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc();
  for (let n = 0; n < 50 && more(before).length > 0; n++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps until it is told to go on: by calls of the runtime's own, which are not traced. */
function told() {
  while (Atomics.load(words, 0) !== GO) Atomics.wait(nothing, 0, 0, 1);
}

function tell(report) {
  const bytes = Buffer.from(JSON.stringify(report));
  memory.bytes.set(bytes, 8);
  words[1] = bytes.length;
  Atomics.store(words, 0, READY);
}

// Whatever is made once is made before it is counted.
for (let n = 0; n < 3; n++) await scene();
await settled({ descriptors: Infinity, mappings: Infinity, children: Infinity });
const before = held();
let stray;
process.on('unhandledRejection', (error) => (stray = String(error?.stack ?? error)));
process.on('uncaughtException', (error) => (stray = String(error?.stack ?? error)));
tell({ threads });
for (;;) {
  told();
  const report = {};
  try {
    await scene();
    report.value = 'done';
  } catch (error) {
    const { name: kind, code, syscall, message, stack } = error;
    Object.assign(report, { kind, code, syscall, message: code === undefined ? stack : message });
  }
  tell({ value: 'played' });
  // The tracer has let go when the next word comes.
  told();
  for (const remove of AFTERWARDS.splice(0)) {
    try {
      remove();
    } catch {
      // As it should be: it is gone.
    }
  }
  await settled(before);
  tell({ ...report, left: more(before), stray });
  stray = undefined;
}
