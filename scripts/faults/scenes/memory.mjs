// Shared memory, and what is built in it.
import { join } from 'node:path';

import { AFTERWARDS, later, PATIENT, same, scene, unique } from '../scene.mjs';

export const MEMORY = {
  shm: scene(async (scope) => {
    const { SharedMemory } = await import('@octoipc/shm');
    const memory = scope.add(
      SharedMemory.open(unique(), { create: true, temporary: true, size: 8192 }),
    );
    memory.bytes[0] = 7;
    const wait = later(memory.wait(4, 0, PATIENT));
    memory.view(Int32Array)[1] = 1;
    memory.notify(4, Infinity);
    same(await wait, 'ok');
    const file = scope.add(SharedMemory.memfd({ size: 4096 }));
    file.bytes[4095] = 1;
    file.resize(8192);
    file.bytes[8191] = 1;
  }),
  'shm many waits': scene(async (scope) => {
    const { SharedMemory } = await import('@octoipc/shm');
    const memory = scope.add(SharedMemory.memfd({ size: 4096 }));
    const words = memory.view(Int32Array);
    // More than one thread of waits takes.
    const waits = Array.from({ length: 130 }, (_, n) => later(memory.wait(4 * n, 0, PATIENT)));
    for (let n = 0; n < waits.length; n++) {
      Atomics.store(words, n, 1);
      memory.notify(4 * n);
    }
    for (const wait of waits) await wait;
  }),
  'shm System V': scene(async (scope) => {
    const { SysvSharedMemory } = await import('@octoipc/shm');
    const memory = scope.add(
      SysvSharedMemory.open('private', { create: true, temporary: true, size: 4096 }),
    );
    const { id } = memory;
    AFTERWARDS.push(() => SysvSharedMemory.remove(id));
    memory.bytes[4095] = 1;
    same(memory.stat().attachments, '1');
  }),
  'shm file': scene(async (scope) => {
    const { SharedMemory } = await import('@octoipc/shm');
    const path = join(scope.folder(), 'memory');
    const memory = scope.add(SharedMemory.file(path, { create: true, size: 4096 }));
    memory.bytes[4095] = 1;
    memory.sync();
    const again = scope.add(SharedMemory.file(path, { readOnly: true }));
    same(again.bytes[4095], '1');
  }),
  ring: scene(async (scope) => {
    const { SharedMemory, ShmRing } = await import('@octoipc/shm');
    const memory = scope.add(SharedMemory.memfd({ size: 1 << 17 }));
    const ring = scope.add(ShmRing.create(memory, { capacity: 1 << 14 }));
    const consumer = scope.add(ring.consumer());
    const producer = scope.add(ring.producer());
    const received = later(consumer.receive(PATIENT));
    await producer.send('hello', PATIENT);
    same(await received, 'hello');
  }),
  broadcast: scene(async (scope) => {
    const { ShmBroadcast } = await import('@octoipc/shm');
    const name = unique();
    const made = scope.add(ShmBroadcast.create(name, { capacity: 4096, temporary: true }));
    const attached = scope.add(ShmBroadcast.attach(name));
    const consumer = scope.add(attached.consumer());
    const received = later(consumer.receive(PATIENT));
    scope.add(made.producer()).send('hello');
    same(await received, 'hello');
  }),
  value: scene(async (scope) => {
    const { ShmValue } = await import('@octoipc/shm');
    const name = unique();
    const made = scope.add(ShmValue.create(name, { maxSize: 64, temporary: true }));
    const attached = scope.add(ShmValue.attach(name));
    const changed = later(attached.changed(attached.version, PATIENT));
    made.set('hello');
    await changed;
    same(attached.get(), 'hello');
  }),
};
