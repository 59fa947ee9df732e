import { bufferOf } from '@octoipc/core/kit';

import { BATCH, binding } from './binding.js';

/** A slab is shared by all queues of a thread. */
const SLAB_SIZE = 256 * 1024;

/** A message that may be longer than this gets memory of its own. */
const LARGEST_SHARED = 64 * 1024;

/** What one receive takes at most: one that takes all that is there must end while others send. */
const MOST = 65_536;

let slab: Buffer | undefined;
let slabMemory: ArrayBufferLike;
let used = 0;

/**
 * Receives into the memory that the binding was told of, from `offset` on, at most so many messages. How
 * many, or a negative number.
 */
export type Receive = (offset: number, max: number) => number;

/** Makes of the bytes and of the priority or type what the caller gets. */
export type Make<T> = (data: Buffer, tag: number) => T;

/**
 * Receives one message into a slab and hands out just the part that was filled, which nobody else will
 * ever write to. One allocation serves many small messages.
 *
 * @param room - what a message may need
 * @param receive - the native call
 * @param make - of the message
 * @returns the message, or the negative number
 */
export function receiveOne<T>(room: number, receive: Receive, make: Make<T>): T | number {
  if (room > LARGEST_SHARED) return receiveAlone(room, receive, make);
  const found = prepare(room);
  const count = receive(used, 1);
  return count < 0 ? count : make(handOut(found, 0), found[2]!);
}

/**
 * Receives all that is there, in one native call as long as the slab lasts.
 *
 * @param room - what one message may need
 * @param max - no more than so many
 * @param receive - the native call
 * @param make - of each message
 * @returns the messages, at least one, or the negative number
 */
export function receiveAll<T>(
  room: number,
  max: number,
  receive: Receive,
  make: Make<T>,
): T[] | number {
  const messages: T[] = [];
  const most = Math.min(max, MOST);
  for (;;) {
    const wanted = Math.min(most - messages.length, BATCH);
    if (room > LARGEST_SHARED) {
      const message = receiveAlone(room, receive, make);
      if (typeof message === 'number') return messages.length > 0 ? messages : message;
      messages.push(message);
    } else {
      const found = prepare(room);
      const count = receive(used, wanted);
      if (count < 0) return messages.length > 0 ? messages : count;
      for (let i = 0; i < count; i++) messages.push(make(handOut(found, i), found[3 * i + 2]!));
      // Less than was wanted, with room left: there are no more.
      if (count < wanted && SLAB_SIZE - used >= room) return messages;
    }
    if (messages.length >= most) return messages;
  }
}

/** Has the binding receive into a slab with so much room behind what is used; where it will tell of it. */
function prepare(room: number): Float64Array {
  // It is empty if a caller has transferred the memory of a message away.
  if (slab === undefined || SLAB_SIZE - used < room || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    slabMemory = slab.buffer;
    used = 0;
  }
  return receiveInto(slab);
}

function receiveInto(memory: Buffer): Float64Array {
  const native = binding();
  const { known } = native;
  if (known.memory !== memory) {
    native.receiveInto(memory);
    known.memory = memory;
  }
  return known.found;
}

function handOut(found: Float64Array, index: number): Buffer {
  const start = found[3 * index]!;
  const end = start + found[3 * index + 1]!;
  used = end;
  return bufferOf(slabMemory, start, end - start);
}

/** Untouched memory costs nothing; what is much longer than the message is given back. */
function receiveAlone<T>(room: number, receive: Receive, make: Make<T>): T | number {
  const memory = Buffer.allocUnsafeSlow(room);
  const found = receiveInto(memory);
  const count = receive(0, 1);
  if (count < 0) return count;
  const start = found[0]!;
  const view = memory.subarray(start, start + found[1]!);
  return make(view.length >= room / 2 ? view : Buffer.from(view), found[2]!);
}
