import type * as Core from '@octoipc/core';

let loaded: typeof Core | undefined;

/**
 * Frames, which importing the package does without. They are loaded with the binding: a stream whose first
 * message comes when the process has no descriptor left could not read the file.
 */
export function frames(): typeof Core {
  return (loaded ??= require('@octoipc/core') as typeof Core);
}

/** What the blocking flavours need of the frame they write: 4 bytes of length, then the message. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + message.length);
  frame.writeUInt32LE(message.length, 0);
  frame.set(message, 4);
  return frame;
}
