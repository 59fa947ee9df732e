import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { readdirSync } from 'node:fs';

import { expect, onTestFinished, test } from 'vitest';

import { failure, memfd, sysv } from './memories.js';
import { compile } from './scripts.js';
import type { Memory } from '@octoipc/shm';

const threads = (): number => readdirSync('/proc/self/task').length;

/** Notifies until the kernel says that so many were woken: a wait may be on its way there. */
async function wake(memory: Memory, offset: number, count = 1): Promise<void> {
  for (let left = count; left > 0; left -= memory.notify(offset, left)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('wait() is not-equal at once, ok when notified or changed, and ETIMEDOUT', async () => {
  const memory = memfd();
  const words = memory.view(Uint32Array);
  expect(await memory.wait(4, 1)).toBe('not-equal');
  expect(memory.waitSync(4, 1)).toBe('not-equal');
  words[1] = 0xffff_ffff;
  await expect(memory.wait(4, 0xffff_ffff, { timeout: 5 })).rejects.toThrow(failure('ETIMEDOUT'));
  await expect(memory.wait(4, -1, { timeout: 0 })).rejects.toThrow(failure('ETIMEDOUT'));
  expect(() => memory.waitSync(4, -1, { timeout: 5 })).toThrow(failure('ETIMEDOUT'));
  const wait = memory.wait(4, -1);
  await wake(memory, 4);
  expect(await wait).toBe('ok');
  expect(memory.notify(4)).toBe(0);
});

test('300 pending waits on 300 words take three threads, and each is woken', async () => {
  const memory = memfd();
  const before = threads();
  const words = memory.view(Int32Array);
  const waits = Array.from({ length: 300 }, (_, index) => memory.wait(4 * index, 0));
  expect(threads() - before).toBeLessThanOrEqual(3);
  for (let index = 299; index >= 0; index--) {
    Atomics.store(words, index, 1);
    memory.notify(4 * index);
  }
  expect(new Set(await Promise.all(waits))).toEqual(new Set(['ok']));
});

test('notify() wakes as many as it says, in their order, of those who wait for one word', async () => {
  const memory = memfd();
  const order: number[] = [];
  const waits = Array.from({ length: 6 }, async (_, index) => {
    await memory.wait(0, 0);
    order.push(index);
  });
  await wake(memory, 0, 2);
  while (order.length < 2) await new Promise(setImmediate);
  expect(order).toEqual([0, 1]);
  await wake(memory, 0, 4);
  await Promise.all(waits);
  expect(order.length).toBe(6);
});

test('a wait that is aborted has taken no wake', async () => {
  const memory = memfd();
  for (let round = 0; round < 50; round++) {
    const controller = new AbortController();
    const first = memory.wait(0, 0, { signal: controller.signal });
    const second = memory.wait(0, 0);
    await wake(memory, 0);
    controller.abort(new Error('enough'));
    const aborted = await first.then(
      () => false,
      () => true,
    );
    // The wake came to the first before the abort, or else is the second's.
    if (!aborted) await wake(memory, 0);
    expect(await second).toBe('ok');
  }
});

test('close() rejects pending waits, resize() ends them', async () => {
  const memory = memfd();
  const wait = memory.wait(0, 0);
  memory.resize(8192);
  expect(await wait).toBe('ok');
  const closed = memory.wait(0, 0);
  memory.close();
  await expect(closed).rejects.toThrow(failure('ERR_CLOSED'));
});

const PEER = `
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>
/* Counts in word 0, and by compare and exchange in word 3, waits for word 1 to be set, sets word 2 and wakes. */
int main(int argc, char **argv) {
  _Atomic int *words = argc > 1 ? shmat(atoi(argv[1]), 0, 0)
                                : mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
  if (words == (void *)-1) return 1;
  for (int i = 0; i < 1000000; i++) atomic_fetch_add(&words[0], 1);
  for (int i = 0; i < 200000; i++) {
    int seen = atomic_load(&words[3]);
    while (!atomic_compare_exchange_weak(&words[3], &seen, seen + 1)) {
    }
  }
  while (atomic_load(&words[1]) == 0) syscall(SYS_futex, &words[1], FUTEX_WAIT, 0, 0, 0, 0);
  int expected = 0;
  if (!atomic_compare_exchange_strong(&words[2], &expected, 7)) return 2;
  syscall(SYS_futex, &words[2], FUTEX_WAKE, 1, 0, 0, 0);
  return 0;
}
`;

test.each(['memfd', 'System V'] as const)(
  "Atomics and wait() on %s agree with C's atomics and futex",
  { timeout: 60_000 },
  async (kind) => {
    const context = {
      skip: (why: string): never => {
        throw new Error(why);
      },
    };
    const program = await compile(PEER, context as never);
    const [memory, args, fds] =
      kind === 'memfd'
        ? (() => {
            const m = memfd();
            return [m, [], [m.fd]] as const;
          })()
        : (() => {
            const m = sysv();
            return [m, [String(m.id)], []] as const;
          })();
    const words = memory.view(Int32Array);
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', ...fds] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exit = once(child, 'exit');
    for (let i = 0; i < 1_000_000; i++) Atomics.add(words, 0, 1);
    for (let i = 0; i < 200_000; i++) {
      let seen = Atomics.load(words, 3);
      for (let was; (was = Atomics.compareExchange(words, 3, seen, seen + 1)) !== seen;) seen = was;
    }
    Atomics.store(words, 1, 1);
    memory.notify(4);
    while (Atomics.load(words, 2) === 0) await memory.wait(8, 0);
    expect(await exit).toEqual([0, null]);
    expect([words[0], words[2], words[3]]).toEqual([2_000_000, 7, 400_000]);
  },
);

test('any number of waits with one signal are no leak to Node, and none is left after it', async () => {
  const memory = memfd();
  const controller = new AbortController();
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const waits = Array.from({ length: 30 }, () => memory.wait(0, 0, { signal: controller.signal }));
  const woken = memory.wait(4, 0, { signal: controller.signal });
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  await wake(memory, 4);
  expect(await woken).toBe('ok');
  controller.abort(new Error('enough'));
  const ended = await Promise.allSettled(waits);
  expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  // Warnings come a tick later.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});
