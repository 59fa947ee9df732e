import type { Closable } from '@octoipc/core';

import { badInputSuite, type BadInputAdapter } from './bad-input.js';
import { byteStreamSuite, type ByteStreamAdapter } from './byte-stream.js';
import { crashSafetySuite, type CrashSafetyAdapter } from './crash-safety.js';
import { lifecycleSuite, type LifecycleAdapter } from './lifecycle.js';
import { lockSuite, type LockAdapter } from './lock.js';
import { messageChannelSuite, type MessageChannelAdapter } from './message-channel.js';
import { namedObjectSuite, type NamedObjectAdapter } from './named-object.js';
import { register } from './register.js';
import { resourcesSuite, type ResourcesAdapter } from './resources.js';
import { waitableSuite, type WaitableAdapter } from './waitable.js';

/**
 * Registers the tests of a byte stream: order and integrity, the end, a broken pipe, back pressure,
 * cancelling.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeByteStream } from '@octoipc/conformance';
 * import { createPipe } from '@octoipc/pipe';
 *
 * describeByteStream({ name: 'createPipe()', mechanism: 'PIPE', open: () => createPipe() });
 * ```
 */
export function describeByteStream(adapter: ByteStreamAdapter): void {
  register(byteStreamSuite, adapter);
}

/**
 * Registers the tests of a channel of messages: boundaries, order, limits, the end, cancelling.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeMessageChannel } from '@octoipc/conformance';
 * import { createPipe, pipeReceiver, pipeSender } from '@octoipc/pipe';
 *
 * describeMessageChannel({
 *   name: 'pipeSender()',
 *   mechanism: 'PIPE',
 *   lacks: { priorities: 'a pipe keeps the order' },
 *   open() {
 *     const { reader, writer } = createPipe();
 *     return { sender: pipeSender(writer), receiver: pipeReceiver(reader) };
 *   },
 * });
 * ```
 */
export function describeMessageChannel(adapter: MessageChannelAdapter): void {
  register(messageChannelSuite, adapter);
}

/**
 * Registers the tests of names: creating and opening, races, modes, limits, lists, what outlives what,
 * and temporary names.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { randomUUID } from 'node:crypto';
 * import { describeNamedObject } from '@octoipc/conformance';
 * import { PosixQueue } from '@octoipc/mq';
 *
 * describeNamedObject({
 *   name: 'PosixQueue.open()',
 *   mechanism: 'MQ',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 *   freshName: () => `/${randomUUID()}`,
 *   open: (name, options) => PosixQueue.open(name, { ...options, maxMessages: 1 }),
 *   unlink: (name) => PosixQueue.unlink(name),
 *   list: () => PosixQueue.list(),
 * });
 * ```
 */
export function describeNamedObject<H extends Closable>(adapter: NamedObjectAdapter<H>): void {
  register(namedObjectSuite, adapter as unknown as NamedObjectAdapter);
}

/**
 * Registers the tests of waiting: the three flavours, first come first served, cancelling that loses
 * nothing, closing, and an event loop and thread pool that stay free.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeWaitable } from '@octoipc/conformance';
 * import { createPipe } from '@octoipc/pipe';
 *
 * const byteOf = (chunk) => chunk?.[0];
 * describeWaitable({
 *   name: 'PipeReader.read()',
 *   mechanism: 'PIPE',
 *   open() {
 *     const pipe = createPipe();
 *     return {
 *       handle: pipe.reader,
 *       wait: (options) => pipe.reader.read({ ...options, maxBytes: 1 }).then(byteOf),
 *       tryTake: () => byteOf(pipe.reader.tryRead({ maxBytes: 1 })),
 *       waitSync: (options) => byteOf(pipe.reader.readSync({ ...options, maxBytes: 1 })),
 *       give: (token) => pipe.writer.write(Uint8Array.of(token)),
 *       close: () => pipe.close(),
 *     };
 *   },
 * });
 * ```
 */
export function describeWaitable(adapter: WaitableAdapter): void {
  register(waitableSuite, adapter);
}

/**
 * Registers the tests of a lock: one holder at a time, within a process and between processes, first
 * come first served, cancelling, and the death of its owner.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { randomUUID } from 'node:crypto';
 * import { describeLock } from '@octoipc/conformance';
 * import { PosixSemaphore } from '@octoipc/sem';
 *
 * const held = (permit) => permit && { release: () => permit[Symbol.dispose]() };
 * describeLock({
 *   name: 'PosixSemaphore of 1',
 *   mechanism: 'SEM',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 *   lacks: { recovery: 'a semaphore has no owner', withLock: 'it is withPermit' },
 *   freshName: () => `/${randomUUID()}`,
 *   open(name) {
 *     const semaphore = PosixSemaphore.open(name, { create: true, value: 1 });
 *     return {
 *       lock: (options) => semaphore.acquire(options).then(held),
 *       tryLock: () => held(semaphore.tryAcquire()),
 *       lockSync: (options) => held(semaphore.acquireSync(options)),
 *       close: () => semaphore.close(),
 *     };
 *   },
 *   remove: (name) => PosixSemaphore.unlink(name),
 * });
 * ```
 */
export function describeLock(adapter: LockAdapter): void {
  register(lockSuite, adapter);
}

/**
 * Registers the tests of crashes: what the survivor sees when the process at the other end is killed
 * with SIGKILL, stopped and continued, and what is left behind.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeCrashSafety } from '@octoipc/conformance';
 * import { spawnWithPipes } from '@octoipc/pipe';
 *
 * const start = (args, end) =>
 *   spawnWithPipes(process.execPath, args, { stdio: 'pipe', pipes: { 3: end } });
 * describeCrashSafety({
 *   name: 'spawnWithPipes()',
 *   mechanism: 'PIPE',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 *   lacks: { messages: 'a pipe carries bytes', persistent: 'a pipe goes with its ends' },
 *   async startWriter(args) {
 *     const { child, pipes } = start(args, 'write');
 *     return { child, reader: pipes[3] };
 *   },
 *   async startReader(args) {
 *     const { child, pipes } = start(args, 'read');
 *     return { child, writer: pipes[3] };
 *   },
 * });
 * ```
 */
export function describeCrashSafety(adapter: CrashSafetyAdapter): void {
  register(crashSafetySuite, adapter);
}

/**
 * Registers the tests of resources: descriptors, threads and mappings after many rounds and after
 * failures, close-on-exec, dropped handles, the last free descriptor. They need `--expose-gc`, and
 * nothing else that opens or closes descriptors at the same time.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeResources } from '@octoipc/conformance';
 * import { createPipe, PipeReader } from '@octoipc/pipe';
 *
 * describeResources({
 *   name: 'createPipe()',
 *   mechanism: 'PIPE',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 *   open() {
 *     const { reader, writer } = createPipe();
 *     return {
 *       handles: [reader, writer],
 *       async use() {
 *         const read = reader.read();
 *         await writer.write('x');
 *         await read;
 *       },
 *     };
 *   },
 *   failures: { 'no pipe': () => PipeReader.fromFd(2 ** 31 - 1) },
 * });
 * ```
 */
export function describeResources(adapter: ResourcesAdapter): void {
  register(resourcesSuite, adapter);
}

/**
 * Registers the tests of bad input: numbers that are none, options, data and names of wrong types,
 * detached memory, a wrong `this`. Each must be refused with Node's codes, before any effect.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeBadInput } from '@octoipc/conformance';
 * import { createPipe } from '@octoipc/pipe';
 *
 * describeBadInput({
 *   name: 'createPipe()',
 *   mechanism: 'PIPE',
 *   lacks: { names: 'a pipe has none' },
 *   open() {
 *     const pipe = createPipe();
 *     return {
 *       numbers: { 'createPipe({ capacity })': (capacity) => createPipe({ capacity }) },
 *       options: { 'createPipe(options)': (options) => createPipe(options) },
 *       data: { 'write(data)': (data) => pipe.writer.write(data) },
 *       methods: [{ of: pipe.reader, names: ['read', 'tryRead', 'close', 'fd'] }],
 *       state: () => pipe.reader.available,
 *       close: () => pipe.close(),
 *     };
 *   },
 * });
 * ```
 */
export function describeBadInput(adapter: BadInputAdapter): void {
  register(badInputSuite, adapter);
}

/**
 * Registers the tests of a handle's life: what keeps a process alive, exits and exceptions during a
 * wait, workers that are terminated during one. `OCTOIPC_QUICK` makes it 8 workers instead of 50.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js
 * import { describeLifecycle } from '@octoipc/conformance';
 *
 * describeLifecycle({
 *   name: 'PipeReader',
 *   mechanism: 'PIPE',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 * });
 * ```
 */
export function describeLifecycle(adapter: LifecycleAdapter): void {
  register(lifecycleSuite, adapter);
}
