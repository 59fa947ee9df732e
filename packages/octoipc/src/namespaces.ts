import { inspect } from 'node:util';

/**
 * A namespace that loads its package when something is first asked of it.
 *
 * Lifetime: the target stays empty until then; loading fills and freezes it, as a module's namespace
 * is, and it never changes again. A package that does not load is tried again at the next use.
 */
function lazy<T extends object>(load: () => unknown): T {
  const target: Record<PropertyKey, unknown> = Object.create(null) as Record<PropertyKey, unknown>;
  const loaded = (): typeof target => {
    if (Object.isFrozen(target)) return target;
    const exported = load() as Record<string, unknown>;
    for (const name of Object.keys(exported)) {
      Object.defineProperty(target, name, { value: exported[name], enumerable: true });
    }
    return Object.freeze(target);
  };
  // console.log() looks at a proxy's target and asks no trap; this is what it does ask.
  Object.defineProperty(target, inspect.custom, { value: () => ({ ...loaded() }) });
  return new Proxy(target, {
    get: (_, name) => loaded()[name],
    has: (_, name) => name in loaded(),
    ownKeys: () => Reflect.ownKeys(loaded()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(loaded(), name),
    isExtensible: () => Reflect.isExtensible(loaded()),
    preventExtensions: () => Reflect.preventExtensions(loaded()),
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    setPrototypeOf: () => false,
  }) as T;
}

/**
 * Anonymous pipes: `@octoipc/pipe`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { pipe } from 'octoipc';
 *
 * const { reader, writer } = pipe.createPipe();
 * await writer.write('through the kernel');
 * writer.close();
 * String(await reader.readAll()); //=> 'through the kernel'
 * reader.close();
 * ```
 * @see pipe(7)
 */
export const pipe: typeof import('@octoipc/pipe') = lazy(() => require('@octoipc/pipe') as unknown);

/**
 * Named pipes: `@octoipc/fifo`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { fifo } from 'octoipc';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/meeting`;
 * const reader = await fifo.openReader(path, { create: true });
 * const writer = await fifo.openWriter(path);
 * await writer.write('by a path');
 * writer.close();
 * String(await reader.readAll()); //=> 'by a path'
 * reader.close();
 * fifo.unlink(path);
 * ```
 * @see fifo(7)
 */
export const fifo: typeof import('@octoipc/fifo') = lazy(() => require('@octoipc/fifo') as unknown);

/**
 * Message queues: `@octoipc/mq`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { mq } from 'octoipc';
 *
 * const jobs = mq.PosixQueue.open('/octoipc-jobs', { temporary: true, maxMessages: 4 });
 * await jobs.send('later');
 * await jobs.send('first', { priority: 1 });
 * String((await jobs.receive()).data); //=> 'first'
 * jobs.close();
 * ```
 * @see mq_overview(7)
 */
export const mq: typeof import('@octoipc/mq') = lazy(() => require('@octoipc/mq') as unknown);

/**
 * Signals: `@octoipc/signal`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { signal } from 'octoipc';
 *
 * const watcher = signal.watch('SIGRTMIN+1');
 * signal.send(process.pid, 'SIGRTMIN+1', { value: 42 });
 * (await watcher.wait()).value; //=> 42
 * watcher.close();
 * ```
 * @see signal(7)
 */
export const signal: typeof import('@octoipc/signal') = lazy(
  () => require('@octoipc/signal') as unknown,
);

/**
 * Programs at the other end of a pipe: `@octoipc/popen`, which loads when something is first asked of this
 * namespace.
 *
 * @example
 * ```js
 * import { popen } from 'octoipc';
 *
 * await popen.popen('echo hello | tr a-z A-Z').text(); //=> 'HELLO\n'
 * ```
 * @see popen(3)
 */
export const popen: typeof import('@octoipc/popen') = lazy(
  () => require('@octoipc/popen') as unknown,
);

/**
 * Semaphores and locks: `@octoipc/sem`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { sem } from 'octoipc';
 *
 * const mutex = sem.Mutex.open('/octoipc-mutex', { temporary: true });
 * await mutex.withLock((guard) => guard.recovered); //=> null
 * mutex.close();
 * ```
 * @see sem_overview(7)
 */
export const sem: typeof import('@octoipc/sem') = lazy(() => require('@octoipc/sem') as unknown);

/**
 * Shared memory: `@octoipc/shm`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { shm } from 'octoipc';
 *
 * const memory = shm.SharedMemory.open('/octoipc-picture', { create: true, temporary: true, size: 4096 });
 * memory.bytes.set([1, 2, 3]);
 * memory.byteLength; //=> 4096
 * memory.close();
 * ```
 * @see shm_overview(7)
 */
export const shm: typeof import('@octoipc/shm') = lazy(() => require('@octoipc/shm') as unknown);

/**
 * Sockets: `@octoipc/socket`, which loads when something is first asked of this namespace.
 *
 * @example
 * ```js
 * import { socket } from 'octoipc';
 *
 * const [left, right] = socket.socketPair({ type: 'seqpacket' });
 * await left.send('a packet');
 * String(await right.receive()); //=> 'a packet'
 * left.close();
 * right.close();
 * ```
 * @see unix(7)
 */
export const socket: typeof import('@octoipc/socket') = lazy(
  () => require('@octoipc/socket') as unknown,
);
