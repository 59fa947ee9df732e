// @ts-check
// sem-peers.mjs PEER: what a Node user would take today for a semaphore or a lock: libc's functions by
// koffi, or proper-lockfile.
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { load } from '../peers.mjs';
import { now, serve } from './side.mjs';

const [peer = ''] = process.argv.slice(2);

async function koffi() {
  const libc = (await load(peer)).load('libc.so.6');
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

async function lockfile() {
  const { lock } = await load(peer);
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

await serve(await (peer === 'koffi' ? koffi() : lockfile()));
