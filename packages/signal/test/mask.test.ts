import { readdirSync, readFileSync } from 'node:fs';

import {
  block,
  blocked,
  ignore,
  pending,
  restoreDefault,
  send,
  unblock,
  wait,
  waitSync,
  watch,
} from '@octoipc/signal';
import { describe, expect, onTestFinished, test } from 'vitest';

import { failure, program } from './program.js';

const hold = (...names: string[]): void => {
  block(names as 'SIGINT'[]);
  onTestFinished(() => unblock(names as 'SIGINT'[]));
};

describe('block() and pending()', () => {
  test.each(['sync', 'async'])(
    'SIG-047 SIG-021 SIG-017 SIG-022: what is sent while blocked is pending, and is taken one by one (%s)',
    async (way) => {
      const peer = await program('blocked', 'SIGRTMIN+2,SIGRTMIN+1,SIGUSR2,SIGTERM', way);
      send(peer.pid, 'SIGRTMIN+2', { value: 1 });
      send(peer.pid, 'SIGRTMIN+1', { value: 2 });
      send(peer.pid, 'SIGRTMIN+1', { value: 3 });
      send(peer.pid, 'SIGTERM');
      send(peer.pid, 'SIGUSR2');
      peer.child.stdin?.write('go\n');
      expect(await peer.report()).toEqual(['SIGUSR2', 'SIGTERM', 'SIGRTMIN+1', 'SIGRTMIN+2']);
      expect(await peer.report()).toEqual(['SIGUSR2', null, 'SI_USER']);
      expect(await peer.report()).toEqual(['SIGTERM', null, 'SI_USER']);
      expect(await peer.report()).toEqual(['SIGRTMIN+1', 2, 'SI_QUEUE']);
      expect(await peer.report()).toEqual(['SIGRTMIN+1', 3, 'SI_QUEUE']);
      expect(await peer.report()).toEqual(['SIGRTMIN+2', 1, 'SI_QUEUE']);
      expect(await peer.line()).toBe('ETIMEDOUT');
      expect(await peer.line()).toBe('0');
      expect((await peer.ended).code).toBe(0);
    },
  );

  test.each(['sync', 'async'])(
    'SIG-022: a worker takes what is blocked one by one, and leaves the rest (%s)',
    async (way) => {
      const peer = await program('blocked-worker', 'SIGRTMIN+2', way);
      for (const value of [1, 2, 3]) send(peer.pid, 'SIGRTMIN+2', { value });
      peer.child.stdin?.write('go\n');
      expect(await peer.report()).toEqual([1, 2, 3]);
    },
  );

  test('SIG-022: so does a thread that observes something else', async () => {
    const peer = await program('beside-observer', 'SIGRTMIN+2');
    expect(await peer.report()).toEqual([1, ['SIGRTMIN+2']]);
  });

  test('blocked() has what this thread blocks, not what is blocked for watchers', () => {
    using watcher = watch('SIGHUP');
    hold('SIGUSR2', 'SIGRTMIN+9');
    expect(blocked()).toEqual(['SIGUSR2', 'SIGRTMIN+9']);
    unblock('SIGUSR2');
    expect(blocked()).toEqual(['SIGRTMIN+9']);
    expect(watcher.closed).toBe(false);
  });

  test('a watcher that comes and goes leaves what is blocked blocked, and pending', async () => {
    hold('SIGRTMIN+9');
    const watcher = watch('SIGRTMIN+9');
    send(process.pid, 'SIGRTMIN+9', { value: 1 });
    expect((await watcher.wait()).value).toBe(1);
    watcher.close();
    send(process.pid, 'SIGRTMIN+9', { value: 2 });
    expect(pending()).toEqual(['SIGRTMIN+9']);
    expect((await wait('SIGRTMIN+9')).value).toBe(2);
  });

  test('what is blocked beside others is every thread’s, and none of it is given up with them', async () => {
    // By qemu-user each of these is for the kernel what another is here.
    hold('SIGRTMIN+7');
    hold('SIGRTMIN+9');
    const watcher = watch(['SIGRTMIN+3', 'SIGRTMIN+5']);
    watcher.close();
    for (let value = 0; value < 50; value++) send(process.pid, 'SIGRTMIN+9', { value });
    for (let value = 0; value < 50; value++) {
      expect((await wait('SIGRTMIN+9')).value).toBe(value);
    }
    expect(blocked()).toEqual(['SIGRTMIN+7', 'SIGRTMIN+9']);
  });

  test('every thread but those that block all does as this one does, and no longer afterwards', () => {
    const without = (): string[] =>
      threadMasks()
        .filter((mask) => !has(mask))
        .map(String);
    const withIt = (): string[] =>
      threadMasks()
        .filter((mask) => has(mask))
        .map(String);
    const before = withIt();
    hold('SIGRTMIN+9');
    expect(without()).toEqual([]);
    unblock('SIGRTMIN+9');
    expect(withIt()).toEqual(before);
  });

  test('SIG-034: what cannot be blocked or ignored is refused', () => {
    const refused = failure({ code: 'ERR_INVALID_ARG_VALUE' });
    for (const signal of [
      'SIGKILL',
      'SIGSTOP',
      'SIGSEGV',
      'SIGPROF',
      'SIGABRT',
      'SIGNOT',
      'term',
      32,
    ]) {
      expect(() => block(signal as 'SIGINT')).toThrow(refused);
      expect(() => unblock(signal as 'SIGINT')).toThrow(refused);
      expect(() => ignore(signal as 'SIGINT')).toThrow(refused);
      expect(() => restoreDefault(signal as 'SIGINT')).toThrow(refused);
    }
    expect(() => ignore('SIGCHLD')).toThrow(refused);
    expect(() => block([])).toThrow(refused);
  });
});

describe('waitSync()', () => {
  test('SIG-023: gives ETIMEDOUT after its timeout, at once for 0', async () => {
    expect(() => waitSync('SIGUSR2', { timeout: 0 })).toThrow(failure({ code: 'ETIMEDOUT' }));
    const peer = await program('sync', 'SIGUSR2', 150);
    expect(await peer.line()).toBe('ETIMEDOUT true');
  });

  test('SIG-024 SIG-056: goes on after another signal, a stop and a continuation', async () => {
    const peer = await program('sync', 'SIGUSR2', 60_000);
    for (let i = 0; i < 3; i++) {
      for (const signal of ['SIGWINCH', 'SIGSTOP', 'SIGCONT'] as const) send(peer.pid, signal);
    }
    send(peer.pid, 'SIGUSR2');
    expect(await peer.line()).toBe('SIGUSR2');
  });

  test('a watcher whose signals come one at a time misses none, and none waits for its timeout', async () => {
    using watcher = watch('SIGRTMIN+3');
    for (let value = 0; value < 20; value++) {
      send(process.pid, 'SIGRTMIN+3', { value });
      expect(watcher.waitSync({ timeout: 60_000 }).value).toBe(value);
    }
    for (const value of [1, 2, 3]) send(process.pid, 'SIGRTMIN+3', { value });
    expect([1, 2, 3].map(() => watcher.waitSync({ timeout: 60_000 }).value)).toEqual([1, 2, 3]);
    expect(() => watcher.waitSync({ timeout: 0 })).toThrow(failure({ code: 'ETIMEDOUT' }));
    send(process.pid, 'SIGRTMIN+3', { value: 4 });
    expect(watcher.waitSync({ timeout: 0 }).value).toBe(4);
  });

  test.each(['close', 'abort'])(
    'notices a listener that ends its watcher while it blocks: by %s',
    async (how) => {
      const peer = await program('ended-within', 'SIGRTMIN+3', how);
      expect(await peer.line()).toBe(how === 'close' ? 'ERR_CLOSED' : 'mine');
    },
  );

  test('is EBUSY where somebody awaits the same watcher, who gets the signal', async () => {
    using watcher = watch('SIGRTMIN+3');
    const awaited = watcher.wait();
    send(process.pid, 'SIGRTMIN+3', { value: 1 });
    expect(() => watcher.waitSync()).toThrow(failure({ code: 'EBUSY' }));
    expect((await awaited).value).toBe(1);
  });
});

describe('wait()', () => {
  test('rejects with the reason of its signal, and leaves nothing', async () => {
    const controller = new AbortController();
    const waits = wait('SIGUSR2', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waits).rejects.toThrow('enough');
    await expect(wait('SIGUSR2', { signal: controller.signal })).rejects.toThrow('enough');
    await expect(wait('SIGUSR2', { timeout: 1 })).rejects.toThrow(failure({ code: 'ETIMEDOUT' }));
  });

  test('SIG-025: everyone who waits for a signal gets it', async () => {
    const waits = [wait('SIGUSR2'), wait(['SIGHUP', 'SIGUSR2'])];
    send(process.pid, 'SIGUSR2');
    const [one, other] = await Promise.all(waits);
    expect(one).toBe(other);
  });
});

describe('ignore() and restoreDefault()', () => {
  test('the process ignores a signal, and no longer', async () => {
    const peer = await program('ignore', 'SIGHUP');
    send(peer.pid, 'SIGHUP');
    peer.child.stdin?.write('go\n');
    expect(await peer.line()).toBe('restored');
    send(peer.pid, 'SIGHUP');
    expect((await peer.ended).signal).toBe('SIGHUP');
  });

  test('SIG-048: watchers are told of what is ignored', async () => {
    ignore('SIGUSR2');
    onTestFinished(() => restoreDefault('SIGUSR2'));
    using watcher = watch('SIGUSR2');
    send(process.pid, 'SIGUSR2');
    expect((await watcher.wait()).signal).toBe('SIGUSR2');
    watcher.close();
    send(process.pid, 'SIGUSR2');
  });

  test('what process.on() listens for is EBUSY', () => {
    const hear = (): void => undefined;
    process.on('SIGUSR2', hear);
    onTestFinished(() => void process.off('SIGUSR2', hear));
    expect(() => ignore('SIGUSR2')).toThrow(failure({ code: 'EBUSY' }));
    expect(() => restoreDefault('SIGUSR2')).toThrow(failure({ code: 'EBUSY' }));
  });
});

/** Whether a mask, as /proc writes it, has SIGRTMIN+9. */
function has(mask: bigint): boolean {
  return (mask & (1n << 42n)) !== 0n;
}

/** What each thread of this process blocks. */
function threadMasks(): bigint[] {
  const masks: bigint[] = [];
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const text = readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
      masks.push(BigInt(`0x${/SigBlk:\s*(\w+)/.exec(text)?.[1]}`));
    } catch {
      // It has just ended.
    }
  }
  return masks;
}
