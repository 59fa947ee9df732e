// child.mjs SCENE FILE: plays a scene whenever the first word of the mapped file says so, and writes what
// came of it there. Between scenes it makes no system call, so whatever strace injects meets the scene.
import { readdirSync } from 'node:fs';

import { SharedMemory } from '@octoipc/shm';

import { AFTERWARDS, SCENES } from './scenes.mjs';

const [name, file] = process.argv.slice(2);
const memory = SharedMemory.file(file);
const [GO, READY] = [1, 2];
const words = memory.view(Int32Array, 0, 2);
const scene = SCENES[name];

const descriptors = () => readdirSync('/proc/self/fd').length;

/** What is closed by the loop, or when a child has ended, is closed after a while. */
async function settled(most) {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc();
  for (let n = 0; n < 50 && descriptors() > most; n++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function tell(report) {
  const bytes = Buffer.from(JSON.stringify(report));
  memory.bytes.set(bytes, 8);
  words[1] = bytes.length;
  Atomics.store(words, 0, READY);
}

let stray;
process.on('unhandledRejection', (error) => (stray = String(error?.stack ?? error)));
process.on('uncaughtException', (error) => (stray = String(error?.stack ?? error)));

// Whatever is made once is made before it is counted.
for (let n = 0; n < 3; n++) await scene();
await settled(Infinity);
const before = descriptors();
tell({ value: 'ready' });
for (;;) {
  while (Atomics.load(words, 0) !== GO);
  const report = {};
  try {
    await scene();
    report.value = 'done';
  } catch (error) {
    const { name: kind, code, syscall, message } = error;
    Object.assign(report, { kind, code, syscall, message });
  }
  tell({ value: 'played' });
  // strace has let go when the next word comes.
  while (Atomics.load(words, 0) !== GO);
  for (const remove of AFTERWARDS.splice(0)) {
    try {
      remove();
    } catch {
      // As it should be: it is gone.
    }
  }
  await settled(before);
  tell({ ...report, left: descriptors() - before, stray });
  stray = undefined;
}
