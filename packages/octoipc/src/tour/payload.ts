import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** The file that travels. */
export interface Payload {
  readonly path: string;
  /** Its size when the tour began: so many bytes travel. */
  readonly size: number;
  /** SHA-256 of those bytes as Node reads them, in hexadecimal. */
  readonly digest: string;
}

/** Why a file cannot travel. */
export class PayloadError extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'you may not read this file',
  ELOOP: 'the path has too many symbolic links',
  ENAMETOOLONG: 'the path is too long',
};

/**
 * Looks at the file that is to travel, and hashes it.
 *
 * @param path - the file
 * @param signal - ends the reading
 * @returns its size and digest
 * @throws {PayloadError} when it is no regular file, or cannot be read
 */
export async function inspectPayload(path: string, signal?: AbortSignal): Promise<Payload> {
  try {
    const size = await sizeOf(path);
    const hash = createHash('sha256');
    for await (const chunk of chunks({ path, size }, READ_SIZE, signal)) hash.update(chunk);
    return { path, size, digest: hash.digest('hex') };
  } catch (cause) {
    if (cause instanceof PayloadError || signal?.aborted === true) throw cause;
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new PayloadError(REASONS[code] ?? message, { cause });
  }
}

async function sizeOf(path: string): Promise<number> {
  // Opening a FIFO would wait for somebody who writes into it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new PayloadError('this is a directory; give a file');
    if (!stats.isFile()) throw new PayloadError('this is not a regular file');
    return stats.size;
  } finally {
    await file.close();
  }
}

/** How much is read ahead at a time. */
const READ_SIZE = 1024 * 1024;

/**
 * The payload in parts.
 *
 * @param payload - the file, and how much of it
 * @param length - bytes of each part, up to 1 MiB; the last one may be shorter
 * @param signal - ends the reading
 * @returns the parts, in order
 */
export async function* chunks(
  { path, size }: Pick<Payload, 'path' | 'size'>,
  length: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  if (size === 0) return;
  const stream = createReadStream(path, {
    end: size - 1,
    highWaterMark: READ_SIZE - (READ_SIZE % length),
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const read of stream as AsyncIterable<Buffer>) {
    for (let at = 0; at < read.length; at += length) yield read.subarray(at, at + length);
  }
}
