// What is killed at each of its system calls: the short life of everything that leaves its state in the
// kernel or the file system. `life` is the victim's, `next` is how a survivor takes over and cleans up,
// `rival` is what a third process does meanwhile, and what it says went wrong is a finding.
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { reap } from '@octoipc/core';
import { registerReaper, Temporary } from '@octoipc/core/kit';
import { isFifo, openReaderSync, tryOpenWriter, unlink } from '@octoipc/fifo';
import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { Mutex, PosixSemaphore, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory, ShmBroadcast, ShmRing, ShmValue, SysvSharedMemory } from '@octoipc/shm';
import { connect, listen } from '@octoipc/socket';

const TIMEOUT = 20_000;
const SIZE = 8192;
/** Of a named lock's file, as docs/layout.md has it: what it is called, and what is behind the lock. */
const MUTEX_PREFIX = 'mutex.';
const NAME_ROOM = 256;
const token = () => String(Math.random());
const codeOf = ({ code, message }) => code ?? message;

const fileReaper = {
  identify(name) {
    const status = statSync(name, { throwIfNoEntry: false });
    return status === undefined ? null : { dev: status.dev, ino: status.ino };
  },
  remove: unlinkSync,
};
registerReaper('test-file', fileReaper);

/** Something with a name, made temporary; `same` tells whether two handles are of one object. */
function temporary(mechanism, { open, unlink: remove, same, use = () => {} }) {
  return {
    mechanism,
    life(ctx) {
      let handle;
      try {
        handle = open(ctx, { temporary: true });
      } catch (error) {
        // What only creates comes too late where a rival has the name at this moment.
        if (error.code === 'EEXIST') return;
        throw error;
      }
      use(handle);
      handle.close();
    },
    next(ctx) {
      const handle = open(ctx, { create: true });
      use(handle);
      handle.close();
      remove(ctx, handle);
    },
    rival(ctx) {
      let own;
      try {
        own = open(ctx, { temporary: true, exclusive: true });
      } catch (error) {
        return error.code === 'EEXIST' ? undefined : `a rival got ${codeOf(error)}`;
      }
      try {
        const again = open(ctx, {});
        const verdict = same(own, again) ? undefined : 'another object has a living one’s name';
        again.close();
        return verdict;
      } catch (error) {
        return `a living one’s name was gone: ${codeOf(error)}`;
      } finally {
        own.close();
      }
    },
  };
}

function lockAndUnlock(mutex) {
  const guard = mutex.lockSync({ timeout: TIMEOUT });
  if (guard.recovered !== null) guard.markConsistent();
  guard.unlock();
}

function locksOut(own, again) {
  const guard = own.tryLock();
  // The victim has it at this moment.
  if (guard === null) return true;
  const other = again.tryLock();
  other?.unlock();
  if (guard.recovered !== null) guard.markConsistent();
  guard.unlock();
  return other === null;
}

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

/** Made to stay: it is whole from its first moment, or it is not there. */
function lasting(mechanism, { open, unlink: remove, file, size }) {
  return {
    mechanism,
    stays: ({ name }) => file(name),
    life(ctx) {
      open(ctx).close();
      remove(ctx);
    },
    after({ name }) {
      const status = statSync(file(name), { throwIfNoEntry: false });
      return status === undefined || status.size === size
        ? undefined
        : `it has ${status.size} bytes of ${size}`;
    },
    next(ctx) {
      open(ctx).close();
      remove(ctx);
    },
    rival: (ctx) => void open(ctx).close(),
  };
}

const owner = fileURLToPath(new URL('owner.mjs', import.meta.url));

/** Temporary objects of four kinds, whose owner is dead. */
function deadOwner({ name, key }) {
  const { signal, stderr } = spawnSync(process.execPath, [owner, name, String(key)]);
  if (signal !== 'SIGKILL') throw new Error(`the owner did not die: ${stderr}`);
}

async function serve({ path }) {
  const server = await listen({ path }, { reclaim: true });
  try {
    const accepted = server.accept({ timeout: TIMEOUT });
    accepted.catch(() => {});
    const client = await connect({ path }, { timeout: TIMEOUT });
    const sent = token();
    await client.write(sent, { timeout: TIMEOUT });
    const peer = await accepted;
    const got = String(await peer.read({ timeout: TIMEOUT }));
    client.close();
    peer.close();
    if (got !== sent) throw new Error('somebody else answered');
  } finally {
    server.close();
  }
}

const socket = {
  mechanism: 'socket',
  stays: ({ path }) => path,
  async life({ path }) {
    try {
      const server = await listen({ path }, { reclaim: true });
      server.close();
    } catch (error) {
      // A rival has it at this moment.
      if (error.code !== 'EADDRINUSE') throw error;
    }
  },
  next: serve,
  async rival(ctx) {
    try {
      await serve(ctx);
    } catch (error) {
      return error.code === 'EADDRINUSE' ? undefined : `a live server’s path: ${codeOf(error)}`;
    }
  },
};

export const SCENES = {
  record: {
    mechanism: 'core',
    stays: ({ path }) => path,
    life({ path }) {
      const made = new Temporary('test-file', path, fileReaper);
      writeFileSync(path, 'x');
      made.created(fileReaper.identify(path));
      made.end();
    },
    next({ path }) {
      const made = new Temporary('test-file', path, fileReaper);
      writeFileSync(path, 'y');
      made.created(fileReaper.identify(path));
      made.end();
    },
    // Another name's record, in the same folder: it makes the folder come and go.
    rival({ path }) {
      const other = `${path}.other`;
      const made = new Temporary('test-file', other, fileReaper);
      writeFileSync(other, 'z');
      made.created(fileReaper.identify(other));
      made.end();
      return statSync(other, { throwIfNoEntry: false }) && 'a temporary file stayed';
    },
  },
  'mq POSIX': temporary('mq', {
    open: ({ name }, options) =>
      PosixQueue.open(name, { maxMessages: 4, maxMessageSize: 64, ...options }),
    unlink: ({ name }) => PosixQueue.unlink(name),
    same(own, again) {
      const sent = token();
      own.trySend(sent);
      return String(again.tryReceive()?.data) === sent;
    },
  }),
  'mq System V': temporary('mq', {
    open: ({ key }, options) => SysvQueue.open(key, options),
    unlink: ({ key }) => {
      const queue = SysvQueue.open(key);
      queue.remove();
      queue.close();
    },
    same: (own, again) => own.id === again.id,
  }),
  'sem POSIX': temporary('sem', {
    open: ({ name }, options) => PosixSemaphore.open(name, { value: 1, ...options }),
    unlink: ({ name }) => PosixSemaphore.unlink(name),
    same(own, again) {
      own.release(1 + Math.trunc(Math.random() * 1000));
      return own.value === again.value;
    },
  }),
  'sem System V': temporary('sem', {
    open: ({ key }, options) => SysvSemaphoreSet.open(key, { count: 1, values: [1], ...options }),
    unlink: ({ key }) => {
      const set = SysvSemaphoreSet.open(key);
      set.remove();
      set.close();
    },
    same: (own, again) => own.id === again.id,
  }),
  'sem Mutex': temporary('sem', {
    open: ({ name }, options) => Mutex.open(name, options),
    unlink: ({ name }) => Mutex.unlink(name),
    same: locksOut,
    use: lockAndUnlock,
  }),
  'sem Mutex, lasting': lasting('sem', {
    open: ({ name }) => Mutex.open(name, { create: true }),
    unlink: ({ name }) => removed(() => Mutex.unlink(name)),
    file: (name) => `/dev/shm/${MUTEX_PREFIX}${name.slice(1)}`,
    size: Mutex.byteLength + NAME_ROOM,
  }),
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
    file: (name) => `/dev/shm${name}`,
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
  fifo: {
    mechanism: 'fifo',
    stays: ({ path }) => path,
    life({ path }) {
      process.umask(0o077);
      const reader = openReaderSync(path, { create: true, mode: 0o640, waitForWriter: false });
      tryOpenWriter(path)?.close();
      reader.close();
      removed(() => unlink(path));
    },
    after({ path }) {
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status === undefined) return undefined;
      if (!status.isFIFO()) return 'it is no FIFO';
      const mode = (status.mode & 0o777).toString(8);
      return (status.mode & 0o777 & ~0o640) === 0 ? undefined : `its mode is ${mode}`;
    },
    next({ path }) {
      const reader = openReaderSync(path, { create: true, mode: 0o640, waitForWriter: false });
      const writer = tryOpenWriter(path);
      writer.writeSync('hello');
      if (String(reader.readSync({ timeout: TIMEOUT })) !== 'hello') throw new Error('no hello');
      writer.close();
      reader.close();
      unlink(path);
    },
    rival({ path }) {
      openReaderSync(path, { create: true, mode: 0o640, waitForWriter: false }).close();
      // The victim may have unlinked it meanwhile.
      return !lstatSync(path, { throwIfNoEntry: false }) || isFifo(path) ? undefined : 'no FIFO';
    },
  },
  'socket, first': socket,
  'socket, reclaimed': {
    ...socket,
    /** A server that was killed has left its socket, which nobody is bound to, and its lock. */
    prepare({ path }) {
      const bind = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
      execFileSync('python3', ['-c', bind, path]);
      writeFileSync(`${path}.lock`, '');
    },
  },
  reap: {
    mechanism: 'core',
    prepare: deadOwner,
    life: () => void reap(),
    next: () => void reap(),
    rival: () => void reap(),
  },
};

/** Removes what a rival may have removed. */
function removed(remove) {
  try {
    remove();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

/** Names for one run, in a folder of its own. */
export function context(folder, id) {
  const name = `/octoipc-kills-${process.pid}-${id}`;
  return {
    name,
    key: 0x0c70_0000 + (process.pid % 0x100) * 0x100 + (id % 0x100),
    path: join(folder, `at-${id}`),
  };
}
