import { spawn } from 'node:child_process';

import type {
  BadInputAdapter,
  LifecycleAdapter,
  ResourcesAdapter,
  Waitable,
  WaitableAdapter,
} from '@octoipc/conformance';
import {
  exists,
  onSignal,
  openProcess,
  rt,
  send,
  sendGroup,
  sendThread,
  wait,
  waitSync,
  watch,
} from '@octoipc/signal';

import { watched } from './fixtures/watched.mjs';

const mechanism = 'SIG';
const script = new URL('./fixtures/roles.mjs', import.meta.url);

export const watches: WaitableAdapter = {
  name: 'SignalWatcher.wait()',
  mechanism,
  open: watched as () => Waitable,
};

/** Somebody who can be waited for. */
function sleeper(): { readonly pid: number; end(): void } {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  if (child.pid === undefined) throw new Error('sleep cannot be started');
  child.unref();
  return { pid: child.pid, end: () => void child.kill('SIGKILL') };
}

export const watchers: ResourcesAdapter = {
  name: 'watch()',
  mechanism,
  script,
  open() {
    const { handle, wait: next, give } = watched() as Waitable;
    const use = async (): Promise<void> => {
      const come = next();
      await give(1);
      await come;
    };
    return { handles: [handle], use };
  },
  failures: {
    'a signal that cannot be caught': () => watch('SIGKILL'),
    'one of several that cannot be caught': () => watch(['SIGUSR2', 'SIGSTOP']),
    'a process that is gone': () => send(2 ** 31 - 1, 'SIGUSR2'),
    'a signal that does not come': () => waitSync('SIGUSR2', { timeout: 0 }),
    'a signal that does not come in time': () => wait('SIGUSR2', { timeout: 1 }),
  },
};

export const processes: ResourcesAdapter = {
  name: 'openProcess()',
  mechanism,
  script,
  lacks: {
    leakWarning: 'its 100,000 handles would be as many programs; watch() has that test',
  },
  open() {
    const { pid, end } = sleeper();
    const handle = openProcess(pid);
    const use = async (): Promise<void> => {
      const { exited } = handle;
      end();
      await exited;
    };
    return { handles: [handle], use };
  },
  failures: {
    'a process that is gone': () => openProcess(2 ** 31 - 1),
    'a signal that there is not': () => {
      using handle = openProcess(process.pid);
      handle.send('SIGNOT' as 'SIGINT');
    },
  },
};

/** Whether a value is a pid that could be signalled. */
const isPid = (value: number): boolean => Number.isInteger(value) && value > 1 && value < 2 ** 31;
const isTime = (value: number): boolean => value >= 0;

export const input: BadInputAdapter = {
  name: '@octoipc/signal',
  mechanism,
  lacks: {
    data: 'a signal carries no data but a number',
    names: 'a signal can be named by its number; send.test.ts has names',
  },
  open() {
    const watcher = watch('SIGRTMIN+9');
    const handle = openProcess(process.pid);
    const listener = onSignal('SIGRTMIN+9', () => undefined);
    return {
      numbers: {
        'send(pid)': { call: (pid: never) => send(pid, 'SIGUSR2'), accepts: isPid },
        'sendGroup(pgid)': (pgid: never) => sendGroup(pgid, 'SIGUSR2'),
        'sendThread(tgid)': (tgid: never) => sendThread(tgid, 1, 'SIGUSR2'),
        'sendThread(tid)': (tid: never) => sendThread(process.pid, tid, 'SIGUSR2'),
        'exists(pid)': (pid: never) => exists(pid),
        'openProcess(pid)': (pid: never) => openProcess(pid),
        'rt(n)': (n: never) => rt(n),
        'wait({ timeout })': {
          call: (timeout: never) => wait('SIGRTMIN+9', { timeout }),
          accepts: isTime,
        },
        'waitSync({ timeout })': {
          call: (timeout: never) => waitSync('SIGRTMIN+9', { timeout }),
          accepts: isTime,
        },
        'watcher.wait({ timeout })': {
          call: (timeout: never) => watcher.wait({ timeout }),
          accepts: isTime,
        },
        'watcher.waitSync({ timeout })': {
          call: (timeout: never) => watcher.waitSync({ timeout }),
          accepts: isTime,
        },
      },
      options: {
        'send()': (options: never) => send(process.pid, 'SIGRTMIN+9', options),
        'sendGroup()': (options: never) => sendGroup(process.pid, 'SIGRTMIN+9', options),
        'sendThread()': (options: never) => sendThread(process.pid, 1, 'SIGRTMIN+9', options),
        'handle.send()': (options: never) => handle.send('SIGRTMIN+9', options),
        'watch()': (options: never) => watch('SIGRTMIN+9', options),
        'wait()': (options: never) => wait('SIGRTMIN+9', options),
        'waitSync()': (options: never) => waitSync('SIGRTMIN+9', options),
        'watcher.wait()': (options: never) => watcher.wait(options),
        'watcher.waitSync()': (options: never) => watcher.waitSync(options),
      },
      waits: {
        'watch()': (options: never) => watch('SIGRTMIN+9', options),
        'wait()': (options: never) => wait('SIGRTMIN+9', options),
        'watcher.wait()': (options: never) => watcher.wait(options),
      },
      methods: [
        { of: watcher, names: ['wait', 'tryWait', 'waitSync', 'ref', 'unref', 'close', 'closed'] },
        { of: handle, names: ['send', 'alive', 'exited', 'close', 'closed', 'fd', 'release'] },
        { of: listener, names: ['ref', 'unref', 'close'] },
      ],
      state: () => [watcher.closed, watcher.tryWait()],
      close() {
        listener.close();
        watcher.close();
        handle.close();
      },
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'watch()', mechanism, script };
