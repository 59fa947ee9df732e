import type { Closable } from '@octoipc/core';

import { byteStreamSuite, type ByteStreamAdapter } from './byte-stream.js';
import { iterationSuite, type IterationAdapter } from './iteration.js';
import { lockSuite, type LockAdapter } from './lock.js';
import { messageChannelSuite, type MessageChannelAdapter } from './message-channel.js';
import { namedObjectSuite, type NamedObjectAdapter } from './named-object.js';
import { register } from './register.js';
import { waitableSuite, type WaitableAdapter } from './waitable.js';

/**
 * Registers the tests of a byte stream: order and integrity, the end, a broken pipe, back pressure,
 * cancelling.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
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
 * ```js no-run
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
 * Registers the tests of waiting: the three flavours, first come first served, cancelling that loses
 * nothing, closing, and an event loop and thread pool that stay free.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
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
 * Registers the tests of `for await`: it ends when the handle is closed, and whoever leaves a loop takes nothing
 * along, also where a step of it waits.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
 * import { describeIteration } from '@octoipc/conformance';
 * import { createPipe } from '@octoipc/pipe';
 *
 * describeIteration({
 *   name: 'PipeReader',
 *   mechanism: 'PIPE',
 *   open() {
 *     const pipe = createPipe();
 *     return {
 *       iterate: () => pipe.reader[Symbol.asyncIterator](),
 *       handle: pipe.reader,
 *       give: (token) => pipe.writer.write(Uint8Array.of(token)),
 *       token: (chunk) => chunk[0],
 *       close: () => pipe.close(),
 *     };
 *   },
 * });
 * ```
 */
export function describeIteration(adapter: IterationAdapter): void {
  register(iterationSuite, adapter);
}

/**
 * Registers the tests of names: creating and opening, races, modes, limits, lists, what outlives what,
 * and temporary names.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
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
 * Registers the tests of a lock: one holder at a time, within a process and between processes, first
 * come first served, cancelling, and the death of its owner.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
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
