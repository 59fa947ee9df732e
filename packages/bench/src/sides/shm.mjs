// @ts-check
// shm.mjs EXERCISE SIZE: what the shm suite measures, by @octoipc/shm.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SharedMemory, ShmBroadcast, ShmValue, SysvSharedMemory } from '@octoipc/shm';

import {
  driveTrips,
  memoryOf,
  now,
  receiveTrips,
  serve,
  tripsAwaited,
  tripsSync,
} from './side.mjs';

const [exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const name = `/octoipc-bench-${process.pid}`;

/**
 * What is repeated, for so many times.
 *
 * @param {(n: number) => void} once
 */
const timed = (once) => (/** @type {number} */ count) => {
  const start = now();
  for (let n = 0; n < count; n++) once(n);
  return { ns: now() - start, sum: 0 };
};

/** @type {Record<string, () => (n: number) => void>} */
const repeated = {
  fill: () => {
    const { bytes } = SharedMemory.memfd({ size });
    return (n) => bytes.fill(n & 0x7f);
  },
  read: () => {
    const { bytes } = SharedMemory.memfd({ size });
    const copy = memoryOf(size);
    bytes.fill(1);
    return () => copy.set(bytes);
  },
  open: () => (n) => {
    const memory = SharedMemory.memfd({ size });
    memory.bytes[0] = n;
    memory.close();
  },
  posix: () => (n) => {
    const memory = SharedMemory.open(name, { exclusive: true, create: true, size });
    memory.bytes[0] = n;
    memory.close();
    SharedMemory.unlink(name);
  },
  // What is in memory objects.
  broadcast: () => {
    kept.push(ShmBroadcast.create(name, { capacity: 1 << 16, temporary: true }));
    return () => ShmBroadcast.attach(name).close();
  },
  value: () => {
    kept.push(ShmValue.create(name, { maxSize: 64, temporary: true }));
    return () => ShmValue.attach(name).close();
  },
  sysv: () => {
    const key = 0x0c600000 | (process.pid & 0xfffff);
    kept.push(SysvSharedMemory.open(key, { create: true, temporary: true, size }));
    return () => {
      const memory = SysvSharedMemory.open(key);
      void memory.bytes[0];
      memory.close();
    };
  },
  file: () => {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'file');
    kept.push(SharedMemory.file(path, { create: true, size }));
    return () => {
      const memory = SharedMemory.file(path);
      void memory.bytes[0];
      memory.close();
    };
  },
  attach: () => {
    kept.push(SharedMemory.open(name, { temporary: true, size }));
    return () => {
      const memory = SharedMemory.open(name);
      void memory.bytes[0];
      memory.close();
    };
  },
};

/** @type {object[]} */
const kept = [];

/** Each adds one to the word of the other, and waits for its own. */
const ends = (/** @type {SharedMemory} */ memory, /** @type {number} */ to) => {
  const words = memory.view(Int32Array);
  const from = 64 - to;
  const post = () => {
    Atomics.add(words, to / 4, 1);
    memory.notify(to);
  };
  const seen = () => Atomics.load(words, from / 4);
  return {
    post,
    seen,
    waitSync(/** @type {number} */ old) {
      while (seen() === old) memory.waitSync(from, old);
    },
    async wait(/** @type {number} */ old) {
      while (seen() === old) await memory.wait(from, old);
    },
  };
};

/** @param {ReturnType<typeof ends>} end */
const tripOf = (end) =>
  exercise === 'trips-sync'
    ? tripsSync(() => {
        const old = end.seen();
        end.post();
        end.waitSync(old);
      })
    : tripsAwaited(() => {
        const old = end.seen();
        end.post();
        return end.wait(old);
      });

/** As many as have been posted are answered; those of earlier samples are counted in. */
const echoOf = (/** @type {ReturnType<typeof ends>} */ end) => {
  let answered = 0;
  return exercise === 'trips-sync'
    ? (/** @type {number} */ count) => {
        for (const stop = answered + count; answered < stop; answered++) {
          end.waitSync(answered | 0);
          end.post();
        }
      }
    : async (/** @type {number} */ count) => {
        for (const stop = answered + count; answered < stop; answered++) {
          await end.wait(answered | 0);
          end.post();
        }
      };
};

if (role === 'peer') {
  const memory = SharedMemory.fromFd(3);
  kept.push(memory);
  receiveTrips(echoOf(ends(memory, 64)));
} else if (exercise.startsWith('trips-')) {
  const memory = SharedMemory.memfd({ size });
  kept.push(memory);
  const args = [...process.execArgv, import.meta.filename, ...process.argv.slice(2), 'peer'];
  const stdio = /** @type {const} */ (['ignore', 'inherit', 'inherit', memory.fd, 'ipc']);
  await driveTrips(spawn(process.execPath, args, { stdio: [...stdio] }), tripOf(ends(memory, 0)));
} else {
  const once = repeated[exercise];
  if (once === undefined) throw new Error(`no exercise ${exercise}`);
  await serve(timed(once()));
}
