import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { reap } from '@octoipc/core';
import { mq, sem, shm } from 'octoipc';
import { expect, onTestFinished, test } from 'vitest';

/** What there is of these names and this key. */
function there(name: string, key: number): string[] {
  const prefix = name.slice(1);
  return [
    ...readdirSync('/dev/shm').filter((file) => file.includes(prefix)),
    ...mq.PosixQueue.list().filter((queue) => queue.name === name),
    ...mq.SysvQueue.list().filter((queue) => queue.key === key),
    ...sem.SysvSemaphoreSet.list().filter((set) => set.key === key),
    ...shm.SysvSharedMemory.list({ holders: false }).filter((memory) => memory.key === key),
  ].map((one) => (typeof one === 'string' ? one : `${one.constructor.name} ${name}`));
}

test('a worker that is terminated takes with it what it has made as temporary, of every kind', async () => {
  const name = `/octoipc-test-${process.pid}-terminated`;
  const key = 0x0c70_0000 + (process.pid % 0x10000);
  const file = join(import.meta.dirname, 'fixtures', 'temporaries-worker.mjs');
  const worker = new Worker(file, { workerData: { name, key } });
  onTestFinished(() => void worker.terminate());
  await once(worker, 'message');
  expect(there(name, key).length).toBeGreaterThanOrEqual(7);
  await worker.terminate();
  expect(there(name, key)).toEqual([]);
  expect(reap({ dryRun: true }).filter((one) => one.name.startsWith(name))).toEqual([]);
});
