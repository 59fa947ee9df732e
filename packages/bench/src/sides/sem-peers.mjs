// @ts-check
// sem-peers.mjs PEER: what a Node user would take today for a semaphore or a lock: libc's functions by
// koffi, or proper-lockfile.
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { now, serve } from './side.mjs';

const require = createRequire(import.meta.url);
const [peer = ''] = process.argv.slice(2);

function koffi() {
  const libc = require(peer).load('libc.so.6');
  const init = libc.func('int sem_init(void *sem, int shared, uint value)');
  const wait = libc.func('int sem_wait(void *sem)');
  const post = libc.func('int sem_post(void *sem)');
  const semaphore = Buffer.alloc(64);
  init(semaphore, 1, 1);
  return (/** @type {number} */ count) => {
    const start = now();
    for (let n = 0; n < count; n++) {
      wait(semaphore);
      post(semaphore);
    }
    return { ns: now() - start };
  };
}

function lockfile() {
  const name = 'proper-lockfile';
  const { lock } = require(name);
  const file = join(tmpdir(), `octoipc-bench-${randomBytes(6).toString('hex')}`);
  writeFileSync(file, '');
  process.once('exit', () => rmSync(file));
  return async (/** @type {number} */ count) => {
    const start = now();
    for (let n = 0; n < count; n++) {
      const release = await lock(file);
      await release();
    }
    return { ns: now() - start };
  };
}

await serve(peer === 'koffi' ? koffi() : lockfile());
