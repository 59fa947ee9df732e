import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { close, closeSync, constants, open, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IpcError } from '@octoipc/core';

import type { Waitable, WaitableAdapter } from '../../src/index.js';
import { waitable } from './adapters.js';
import type { Broken } from './broken.js';

function broken(
  defect: string,
  rejectedBy: string,
  damage: (thing: Waitable) => Partial<Waitable>,
): Broken<WaitableAdapter> {
  const openBroken = (): Waitable => {
    const thing = waitable.open();
    return { ...thing, ...damage(thing) };
  };
  return { defect, rejectedBy, adapter: { ...waitable, open: openBroken } };
}

/** Opens of a FIFO that nobody writes to: each blocks a thread of the pool until `end`. */
function poolBlocker(): { block(): void; end(): void } {
  const path = join(tmpdir(), `octoipc-${randomUUID()}`);
  spawnSync('mkfifo', [path]);
  let blocked = 0;
  let writer = -1;
  return {
    block() {
      blocked += 1;
      open(path, constants.O_RDONLY, (error, fd) => {
        if (error === null) close(fd);
        blocked -= 1;
        if (blocked > 0) return;
        closeSync(writer);
        rmSync(path);
      });
    },
    end() {
      if (blocked === 0) rmSync(path, { force: true });
      else if (writer < 0) writer = openSync(path, constants.O_RDWR);
    },
  };
}

/** Broken waits. */
export const brokenWaits: readonly Broken<WaitableAdapter>[] = [
  broken('serves the last who came first', 'first-come', ({ wait }) => {
    const stack: (() => void)[] = [];
    return {
      // Who waits gets what an earlier one would have got, and the other way round.
      wait: async (options) => {
        const turn = new Promise<void>((resolve) => stack.unshift(resolve));
        const token = await wait(options);
        stack.shift()?.();
        await turn;
        return token;
      },
    };
  }),
  broken('lets a try take what is due to those who wait', 'no-overtaking', ({ wait, tryTake }) => {
    const stash: unknown[] = [];
    return {
      wait: (options) => wait(options).then((token) => stash.shift() ?? token),
      tryTake: () => tryTake() ?? 7,
    };
  }),
  broken('gives everyone what one was given', 'one-for-one', ({ wait }) => {
    let latest: Promise<unknown> | undefined;
    return { wait: (options) => (latest ??= wait(options)) };
  }),
  broken('blocks the thread pool', 'pool-stays-free', ({ wait, close: closeThing }) => {
    const blocker = poolBlocker();
    return {
      wait: (options) => {
        blocker.block();
        return wait(options);
      },
      close() {
        blocker.end();
        closeThing();
      },
    };
  }),
  broken('blocks the event loop', 'waits', ({ wait, tryTake }) => ({
    wait: async (options) => {
      const end = performance.now() + 1;
      while (performance.now() < end);
      return tryTake() ?? wait({ ...options, timeout: 0 });
    },
  })),
  broken('waits in a try', 'try-never-waits', ({ wait }) => ({
    tryTake() {
      const waiting = wait();
      waiting.catch(() => {});
      return waiting;
    },
  })),
  broken('times out too early', 'timed-out', ({ wait }) => ({
    wait: (options) =>
      wait(
        options?.timeout === undefined ? options : { ...options, timeout: options.timeout / 10 },
      ),
  })),
  broken('takes a timeout of 0 for none at all', 'timed-out', ({ wait }) => ({
    wait: (options) => wait(options?.timeout === 0 ? { signal: options.signal } : options),
  })),
  broken('fails a timeout of 0 without a try', 'there-already', ({ wait }) => ({
    wait: async (options) => {
      if (options?.timeout === 0) throw new IpcError('ETIMEDOUT', { syscall: 'read' });
      return wait(options);
    },
  })),
  broken('leaves its listener on the signal', 'nothing-left-behind', ({ wait }) => ({
    wait(options) {
      options?.signal?.addEventListener('abort', () => {});
      return wait(options);
    },
  })),
  broken('leaves its timer', 'nothing-left-behind', ({ wait }) => ({
    wait(options) {
      if (options?.timeout === 3_600_000) setTimeout(() => {}, 1_000);
      return wait(options);
    },
  })),
  broken('loses what it took as it was aborted', 'abort-races', ({ wait }) => ({
    wait: async (options) => {
      const token = await wait(options);
      await Promise.resolve();
      options?.signal?.throwIfAborted();
      return token;
    },
  })),
  broken('aborts with nothing but its own errors', 'aborted-while-waiting', ({ wait }) => ({
    wait: (options) =>
      wait(options).catch((error: unknown) => {
        throw error instanceof Error ? error : new Error('aborted');
      }),
  })),
  broken('takes before it looks at the signal', 'aborted-before', ({ wait, tryTake }) => ({
    wait: (options) => {
      if (options?.signal?.aborted === true) tryTake();
      return wait(options);
    },
  })),
  broken('drops those behind one that was cancelled', 'every-second-aborted', ({ wait }) => {
    let broke = false;
    return {
      wait: (options) => {
        options?.signal?.addEventListener('abort', () => (broke = true));
        return wait(options).then((token) => (broke ? new Promise(() => {}) : token));
      },
    };
  }),
  broken('leaves its waits pending when it closes', 'closed-while-waiting', ({ wait }) => ({
    wait: (options) =>
      wait(options).catch((error: { code?: string }) => {
        if (error.code === 'ERR_CLOSED') return new Promise(() => {});
        throw error;
      }),
  })),
  broken('gives undefined after close', 'used-closed', ({ handle, tryTake }) => ({
    tryTake: () => (handle.closed ? undefined : tryTake()),
  })),
  broken('does not wait when it is to block', 'sync', ({ waitSync }) => ({
    waitSync: () => waitSync?.({ timeout: 0 }),
  })),
];
