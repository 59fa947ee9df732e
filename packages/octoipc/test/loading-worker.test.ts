import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { expect, test } from 'vitest';

const WORKERS = process.env['OCTOIPC_QUICK'] === undefined ? 60 : 20;
const file = join(import.meta.dirname, 'fixtures', 'loading-worker.mjs');

// Another moment for each: this is no wait, and whatever the moment is, the process must live.
const spin = (turns: number): void => {
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < turns; i++) Atomics.add(word, 0, 1);
};

test(`a worker that is terminated while it loads the bindings takes nobody along, ${WORKERS} times`, async () => {
  for (let i = 0; i < WORKERS; i++) {
    const worker = new Worker(file);
    await once(worker, 'message');
    spin(i * 10_000);
    expect(await worker.terminate()).toBeTypeOf('number');
  }
});
