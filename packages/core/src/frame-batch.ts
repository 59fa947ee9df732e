import type { Bytes } from './channel.js';
import { HEADER } from './frame.js';
import { typeError } from './kit.js';

/** Frames that are written together and settle together. */
export interface Batch {
  memory: Buffer;
  start: number;
  end: number;
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
  /** Stops the write that is under way; only a batch of one cancellable frame has it. */
  controller: AbortController | undefined;
  /** In place of frames: begins what else is written to the stream, and then takes its place in its queue. */
  begin: (() => void) | undefined;
}

/** A batch over memory that holds frames already, or shall. */
export function newBatch(memory: Buffer, start = 0, end: number = memory.length): Batch {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { memory, start, end, promise, resolve, reject, controller: undefined, begin: undefined };
}

/** Four bytes, little-endian: four times as quick as writeUInt32LE. */
export function putLength(memory: Uint8Array, at: number, length: number): void {
  memory[at] = length;
  memory[at + 1] = length >>> 8;
  memory[at + 2] = length >>> 16;
  memory[at + 3] = length >>> 24;
}

/** A message as a frame of its own. */
export function frameOf(data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + data.length);
  putLength(frame, 0, data.length);
  frame.set(data, HEADER);
  return frame;
}

/** Messages that are to be sent together; an array as it is. */
export function messagesOf(messages: Iterable<Bytes>): readonly Bytes[] {
  if (typeof messages !== 'object' || messages === null || !(Symbol.iterator in messages)) {
    throw typeError('messages', 'an iterable of messages', messages);
  }
  return Array.isArray(messages) ? (messages as readonly Bytes[]) : Array.from(messages);
}
