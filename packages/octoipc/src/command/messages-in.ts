import { open, type FileHandle } from 'node:fs/promises';

import { IpcError } from '@octoipc/core';

/** Bytes of a message of a file. */
const PART = 64 * 1024;
const NEWLINE = 0x0a;
/** Of a frame: a 4-byte little-endian length, and then the message. */
const HEADER = 4;
const LONGEST_FRAME = 16 * 1024 * 1024;

/**
 * The lines of a stream, without their ends; what stands behind the last end is a line if it is not empty.
 *
 * @param stream - of bytes
 * @param longest - bytes of the longest that anybody can take
 * @returns the lines as they come
 * @throws {IpcError} EMSGSIZE when one does not end before that
 */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  longest: number,
): AsyncGenerator<Buffer, void, void> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      yield Buffer.concat([...rest, chunk.subarray(from, end)]);
      rest = [];
      size = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > longest) {
      const text = `a line of more than ${longest} bytes`;
      const hint = '--file sends what is no text in parts';
      throw new IpcError('EMSGSIZE', { target: 'stdin', text, hint });
    }
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/**
 * The messages of a stream of frames.
 *
 * @param stream - of bytes
 * @returns the messages as they come
 * @throws {IpcError} EMSGSIZE when a length is over 16 MiB; ERR_TRUNCATED when the stream ends in a frame
 */
export async function* framesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = HEADER;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    while (size >= wanted) {
      // Of small frames there are many in a chunk: the rest of it is not copied for each.
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      const length = all.readUInt32LE(0);
      if (length > LONGEST_FRAME) {
        throw new IpcError('EMSGSIZE', { target: 'stdin', text: `a frame of ${length} bytes` });
      }
      wanted = HEADER + length;
      chunks = [all];
      if (size < wanted) break;
      yield all.subarray(HEADER, wanted);
      chunks = [all.subarray(wanted)];
      size -= wanted;
      wanted = HEADER;
    }
  }
  if (size > 0) throw new IpcError('ERR_TRUNCATED', { target: 'stdin' });
}

/**
 * Opens a file that is to be sent, before anything is made that would carry it.
 *
 * @param path - of the file
 * @returns the file, to be closed
 * @throws {IpcError} EISDIR when it is a folder
 */
export async function openSource(path: string): Promise<FileHandle> {
  const file = await open(path, 'r');
  if (!(await file.stat()).isDirectory()) return file;
  await file.close();
  throw new IpcError('EISDIR', { syscall: 'read', target: path });
}

/**
 * A file in parts, and then an empty message: whoever receives knows that it is whole.
 *
 * @param file - open
 * @param longest - bytes of the longest message of the channel
 * @returns the messages
 */
export async function* partsOf(
  file: FileHandle,
  longest: number,
): AsyncGenerator<Buffer, void, void> {
  const highWaterMark = Math.min(PART, longest);
  for await (const part of file.createReadStream({
    highWaterMark,
    autoClose: false,
  }) as AsyncIterable<Buffer>) {
    yield part;
  }
  yield Buffer.alloc(0);
}
