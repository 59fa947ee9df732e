// Shared memory, and what is built in it.
import { unlinkSync } from 'node:fs';

import { SharedMemory, ShmBroadcast, ShmRing, ShmValue, SysvSharedMemory } from '@octoipc/shm';

import { lasting, removed, temporary, token } from '../scene.mjs';

const SIZE = 8192;

function sameBytes(own, again) {
  const byte = Math.trunc(Math.random() * 256);
  own.bytes[0] = byte;
  return again.bytes[0] === byte;
}

/** What `create` makes under a name, and `attach` finds. */
function created(kind, options, { same, use }) {
  return temporary('shm', {
    open: ({ name }, { temporary: goes = false, create = false }) => {
      if (!goes && !create) return kind.attach(name);
      try {
        return kind.create(name, { ...options, temporary: goes });
      } catch (error) {
        if (error.code !== 'EEXIST' || goes) throw error;
        return kind.attach(name);
      }
    },
    unlink: ({ name }) => kind.unlink(name),
    same,
    use,
  });
}

export const MEMORY = {
  'shm POSIX': temporary('shm', {
    open: ({ name }, options) => {
      const makes = options.create === true || options.temporary === true;
      return SharedMemory.open(name, { ...options, ...(makes ? { size: SIZE } : {}) });
    },
    unlink: ({ name }) => SharedMemory.unlink(name),
    same: sameBytes,
  }),
  'shm POSIX, lasting': lasting('shm', {
    open: ({ name }) => SharedMemory.open(name, { create: true, size: SIZE }),
    unlink: ({ name }) => removed(() => SharedMemory.unlink(name)),
    file: ({ name }) => `/dev/shm${name}`,
    size: SIZE,
  }),
  'shm System V': temporary('shm', {
    open: ({ key }, options) => {
      const makes = options.create === true || options.temporary === true;
      return SysvSharedMemory.open(key, { ...options, ...(makes ? { size: SIZE } : {}) });
    },
    unlink: ({ key }) => {
      const memory = SysvSharedMemory.open(key);
      memory.remove();
      memory.close();
    },
    same: sameBytes,
  }),
  'shm file': lasting('shm', {
    open: ({ path }) => SharedMemory.file(path, { create: true, size: SIZE }),
    unlink: ({ path }) => removed(() => unlinkSync(path)),
    file: ({ path }) => path,
    size: SIZE,
    use: (memory) => memory.sync(),
  }),
  ring: created(
    ShmRing,
    { capacity: 4096 },
    {
      same(own, again) {
        const sent = token();
        own.producer().trySend(sent);
        return String(again.consumer().tryReceive()) === sent;
      },
      use(ring) {
        ring.producer().close();
        ring.consumer().close();
      },
    },
  ),
  broadcast: created(
    ShmBroadcast,
    { capacity: 4096 },
    {
      same(own, again) {
        const consumer = again.consumer();
        const sent = token();
        own.producer().send(sent);
        return String(consumer.tryReceive()) === sent;
      },
      use: (broadcast) => broadcast.producer().close(),
    },
  ),
  value: created(
    ShmValue,
    { maxSize: 64 },
    {
      same(own, again) {
        const sent = token();
        own.set(sent);
        return String(again.get()) === sent;
      },
      use: (value) => value.set('x'),
    },
  ),
};
