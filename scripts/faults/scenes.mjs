// What each mechanism does while its system calls fail: a whole life, from making to removing. A scene
// leaves nothing behind, however far it came.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const unique = () => `/octoipc-faults-${process.pid}-${randomBytes(4).toString('hex')}`;

/** Ends what was begun, whichever of it fails. */
class Scope {
  #ends = [];

  add(handle, end = () => handle.close()) {
    this.#ends.push(end);
    return handle;
  }

  end() {
    for (const end of this.#ends.toReversed()) {
      try {
        end();
      } catch (error) {
        if (error.name !== 'IpcError' && error.code === undefined) throw error;
      }
    }
  }
}

/** What makes sure that objects are gone whose removal was made to fail; for when nothing is any more. */
export const AFTERWARDS = [];

/** A wait that fails, too, when its scene ends early. */
const later = (promise) => {
  promise.catch(() => {});
  return promise;
};

/** Runs `life` with a scope that is ended after it. */
const scene = (life) => async () => {
  const scope = new Scope();
  try {
    await life(scope);
  } finally {
    scope.end();
  }
};

const same = (actual, expected) => {
  if (String(actual) !== expected) throw new Error(`'${actual}' came for '${expected}'`);
};

export const SCENES = {
  pipe: scene(async (scope) => {
    const { createPipe } = await import('@octoipc/pipe');
    const { reader, writer } = scope.add(createPipe({ capacity: 4096 }));
    writer.capacity = 8192;
    const read = later(reader.read({ timeout: 2000 }));
    await writer.write('hello', { timeout: 2000 });
    same(await read, 'hello');
    writer.writeSync('again', { timeout: 2000 });
    same(reader.readSync({ timeout: 2000 }), 'again');
  }),
  fifo: scene(async (scope) => {
    const { openReader, openWriter } = await import('@octoipc/fifo');
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
    scope.add(folder, () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'fifo');
    const reader = scope.add(await openReader(path, { create: true }));
    const writer = scope.add(await openWriter(path, { timeout: 2000 }));
    const read = later(reader.read({ timeout: 2000 }));
    await writer.write('hello', { timeout: 2000 });
    same(await read, 'hello');
  }),
  'mq POSIX': scene(async (scope) => {
    const { PosixQueue } = await import('@octoipc/mq');
    const name = unique();
    const queue = scope.add(
      PosixQueue.open(name, { create: true, temporary: true, maxMessages: 2, maxMessageSize: 64 }),
    );
    const received = later(queue.receive({ timeout: 2000 }));
    await queue.send('hello', { timeout: 2000 });
    same((await received).data, 'hello');
    queue.sendSync('again', { timeout: 2000 });
    same(queue.receiveSync({ timeout: 2000 }).data, 'again');
  }),
  'mq System V': scene(async (scope) => {
    const { SysvQueue } = await import('@octoipc/mq');
    const queue = scope.add(SysvQueue.open('private', { create: true, temporary: true }));
    const { id } = queue;
    AFTERWARDS.push(() => SysvQueue.remove(id));
    const received = later(queue.receive({ timeout: 2000 }));
    await queue.send('hello', { timeout: 2000 });
    same((await received).data, 'hello');
  }),
  'sem POSIX': scene(async (scope) => {
    const { PosixSemaphore } = await import('@octoipc/sem');
    const semaphore = scope.add(
      PosixSemaphore.open(unique(), { create: true, temporary: true, value: 1 }),
    );
    const permit = await semaphore.acquire({ timeout: 2000 });
    const next = later(semaphore.acquire({ timeout: 2000 }));
    permit.release();
    (await next).release();
  }),
  'sem System V': scene(async (scope) => {
    const { SysvSemaphoreSet } = await import('@octoipc/sem');
    const set = scope.add(
      SysvSemaphoreSet.open('private', { create: true, temporary: true, count: 1, values: [0] }),
    );
    const { id } = set;
    AFTERWARDS.push(() => SysvSemaphoreSet.remove(id));
    const operation = later(set.operate([{ index: 0, delta: -1 }], { timeout: 2000 }));
    set.operateSync([{ index: 0, delta: 1 }]);
    await operation;
  }),
  'sem Mutex': scene(async (scope) => {
    const { Mutex } = await import('@octoipc/sem');
    const mutex = scope.add(Mutex.open(unique(), { create: true, temporary: true }));
    const guard = await mutex.lock({ timeout: 2000 });
    guard.unlock();
    mutex.lockSync({ timeout: 2000 }).unlock();
  }),
  shm: scene(async (scope) => {
    const { SharedMemory } = await import('@octoipc/shm');
    const memory = scope.add(
      SharedMemory.open(unique(), { create: true, temporary: true, size: 8192 }),
    );
    memory.bytes[0] = 7;
    const wait = later(memory.wait(4, 0, { timeout: 2000 }));
    memory.view(Int32Array)[1] = 1;
    memory.notify(4, Infinity);
    await wait;
    const file = scope.add(SharedMemory.memfd({ size: 4096 }));
    file.bytes[4095] = 1;
  }),
  ring: scene(async (scope) => {
    const { SharedMemory, ShmRing } = await import('@octoipc/shm');
    const memory = scope.add(SharedMemory.memfd({ size: 1 << 17 }));
    const ring = scope.add(ShmRing.create(memory, { capacity: 1 << 14 }));
    const consumer = scope.add(ring.consumer());
    const producer = scope.add(ring.producer());
    const received = later(consumer.receive({ timeout: 2000 }));
    await producer.send('hello', { timeout: 2000 });
    same(await received, 'hello');
  }),
  signal: scene(async (scope) => {
    const { send, watch } = await import('@octoipc/signal');
    const watcher = scope.add(watch('SIGRTMIN+3'));
    const next = later(watcher.wait({ timeout: 2000 }));
    send(process.pid, 'SIGRTMIN+3', { value: 7 });
    same((await next).value, '7');
  }),
  socket: scene(async (scope) => {
    const { connect, listen } = await import('@octoipc/socket');
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
    scope.add(folder, () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'socket');
    const server = scope.add(await listen({ path }));
    const accepted = later(server.accept({ timeout: 2000 }));
    const client = scope.add(await connect({ path }, { timeout: 2000 }));
    const peer = scope.add(await accepted);
    const read = later(peer.read({ timeout: 2000 }));
    await client.write('hello', { timeout: 2000 });
    same(await read, 'hello');
  }),
  popen: scene(async () => {
    const { popen } = await import('@octoipc/popen');
    const child = popen(['cat'], 'r+');
    try {
      await child.write('hello');
      void child.end();
      same(await child.text(), 'hello');
    } finally {
      await child.close({ timeout: 2000 }).catch(() => child.kill('SIGKILL'));
    }
  }),
};
