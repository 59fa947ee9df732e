import { bufferOf, untransferable } from '@octoipc/core/kit';

import { BATCH, binding, STRIDE } from './binding.js';

/** A slab is shared by all queues of a thread. */
const SLAB_SIZE = 256 * 1024;

/** A message that may be longer than this gets memory of its own. */
const LARGEST_SHARED = 64 * 1024;

/** What one receive takes at most: one that takes all that is there must end while others send. */
const MOST = 65_536;

let slab: Buffer | undefined;
let slabMemory: ArrayBufferLike;
let used = 0;

/** Memory of one message's own, until it is handed out. */
let alone: Buffer | undefined;

/** The view that was handed out last of a caller's memory. */
let lent: { readonly into: Uint8Array; readonly view: Buffer } | undefined;

/**
 * Has the binding receive into a slab with so much room behind what is used.
 *
 * @param room - what one message may need
 * @returns the array where a receive is told what to do, which has the offset already
 */
export function roomFor(room: number): Float64Array {
  if (room > LARGEST_SHARED) return roomAlone(room);
  // It is empty if somebody has detached it all the same.
  if (slab === undefined || SLAB_SIZE - used < room || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    slabMemory = slab.buffer;
    used = 0;
    untransferable(slabMemory);
  }
  alone = undefined;
  const found = receiveInto(slab);
  found[1] = used;
  return found;
}

/** Has the binding receive into a caller's memory; the array where it is told what to do. */
export function roomOf(into: Uint8Array): Float64Array {
  const found = receiveInto(into);
  found[1] = 0;
  return found;
}

/** The bytes of a message that was received into the room of {@link roomFor}: nobody else writes to them. */
export function handOut(found: Float64Array, index: number): Buffer {
  const start = found[STRIDE * index]!;
  const length = found[STRIDE * index + 1]!;
  if (alone !== undefined) return handOutAlone(alone, start, length);
  used = start + length;
  return bufferOf(slabMemory, start, length);
}

/** The bytes of a message that was received into a caller's memory. */
export function handBack(found: Float64Array, into: Uint8Array): Buffer {
  const length = found[1]!;
  if (lent?.into === into && lent.view.length === length) return lent.view;
  const view = bufferOf(into.buffer, into.byteOffset, length);
  lent = { into, view };
  return view;
}

/**
 * Receives all that is there, in one native call as long as the slab lasts.
 *
 * @param room - what one message may need
 * @param max - no more than so many
 * @param receive - the native call, told how many at most
 * @param make - makes of the bytes and of the priority or type what the caller gets
 * @returns the messages, at least one, or the negative number
 */
export function receiveAll<T>(
  room: number,
  max: number,
  receive: (found: Float64Array, max: number) => number,
  make: (data: Buffer, tag: number) => T,
): T[] | number {
  const messages: T[] = [];
  const most = Math.min(max, MOST);
  for (;;) {
    const found = roomFor(room);
    const wanted = alone === undefined ? Math.min(most - messages.length, BATCH) : 1;
    const count = receive(found, wanted);
    if (count < 0) return messages.length > 0 ? messages : count;
    for (let i = 0; i < count; i++) {
      messages.push(make(handOut(found, i), found[STRIDE * i + 2]!));
    }
    if (messages.length >= most) return messages;
    // Less than was wanted, with room left: there are no more.
    if (count < wanted && SLAB_SIZE - used >= room) return messages;
  }
}

function receiveInto(memory: Uint8Array): Float64Array {
  const native = binding();
  const { known } = native;
  if (known.memory !== memory || known.length !== memory.length) {
    native.receiveInto(memory);
    known.memory = memory;
    known.length = memory.length;
  }
  return known.found;
}

/** Untouched memory costs nothing; what is much longer than the message is given back. */
function roomAlone(room: number): Float64Array {
  alone = Buffer.allocUnsafeSlow(room);
  const found = receiveInto(alone);
  found[1] = 0;
  return found;
}

function handOutAlone(memory: Buffer, start: number, length: number): Buffer {
  alone = undefined;
  const view = memory.subarray(start, start + length);
  return length >= memory.length / 2 ? view : Buffer.from(view);
}
