import type { Lock, LockAdapter } from '../../src/index.js';
import { lock } from './adapters.js';
import type { Broken } from './broken.js';

/** Locks that let others in, or nobody. */
export const brokenLocks: readonly Broken<LockAdapter>[] = [
  brokenLock('excludes nobody', 'exclusive', () => ({
    lock: async () => ({ release() {} }),
    tryLock: () => ({ release() {} }),
  })),
  brokenLock('releases what it does not hold any more', 'released-once', (handle, name) => ({
    lock: async (options) => {
      const held = await handle.lock(options);
      return {
        release() {
          held.release();
          lock.remove(name);
        },
      };
    },
  })),
  brokenLock('keeps the lock of a wait that was cancelled', 'cancelled', (handle) => ({
    lock(options) {
      const { signal, ...rest } = options ?? {};
      if (signal === undefined) return handle.lock(rest);
      const taken = handle.lock(rest);
      taken.catch(() => {});
      const aborted = new Promise<never>((_, reject) => {
        if (signal.aborted) reject(signal.reason as Error);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
      return Promise.race([taken, aborted]);
    },
  })),
  brokenLock('does not tell of a dead owner', 'owner-killed', (handle) => ({
    lock: (options) => handle.lock(options).then(({ release }) => ({ release })),
  })),
  brokenLock('keeps the lock when its function throws', 'with-lock', (handle) => ({
    withLock: async (run) => {
      const held = await handle.lock();
      const result = await run();
      held.release();
      return result;
    },
  })),
  brokenLock('serves the last first', 'first-come', (handle) => {
    const stack: (() => void)[] = [];
    return {
      lock: async (options) => {
        await new Promise<void>((resolve) => {
          stack.unshift(resolve);
          setTimeout(() => stack.shift()?.(), 20);
        });
        return handle.lock(options);
      },
    };
  }),
  brokenLock('cannot be closed while it waits', 'closed-while-waiting', () => ({ close() {} })),
];

function brokenLock(
  defect: string,
  rejectedBy: string,
  damage: (handle: Lock, name: string) => Partial<Lock>,
): Broken<LockAdapter> {
  const open = (name: string): Lock => {
    const handle = lock.open(name);
    const sound: Lock = {
      lock: (options) => handle.lock(options),
      tryLock: () => handle.tryLock(),
      lockSync: (options) => handle.lockSync(options),
      withLock: (run) => handle.withLock(run),
      close: () => handle.close(),
    };
    return { ...sound, ...damage(handle, name) };
  };
  return { defect, rejectedBy, adapter: { ...lock, open } };
}
