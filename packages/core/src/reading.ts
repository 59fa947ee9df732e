import type { ByteReader, ReadTarget } from './channel.js';
import { IpcError, timeoutError, type IpcErrorDetails } from './errors.js';
import { IterationWait } from './iteration-wait.js';
import { integer, optionsObject, valueError, writableBytes } from './validate.js';
import { waitOptions, type WaitOptions } from './wait.js';

/** What a read takes. */
export interface ReadOptions extends ReadTarget, WaitOptions {}

/** What a blocking read takes. */
export interface ReadSyncOptions extends ReadTarget {
  /** The longest time to block, in milliseconds. @default Infinity */
  readonly timeout?: number | undefined;
}

/** What `readAll` takes. */
export interface ReadAllOptions extends WaitOptions {
  /** More than this rejects with `EMSGSIZE`. @default Infinity */
  readonly maxBytes?: number | undefined;
}

/** What a read takes at most unless told otherwise. */
export const DEFAULT_MAX_BYTES: number = 64 * 1024;

/** What a blocking call throws that would overtake those who wait. */
export function busyError(details: IpcErrorDetails): IpcError {
  return new IpcError('EBUSY', {
    ...details,
    hint: 'asynchronous calls wait on this handle: await them before a blocking one',
  });
}

/** Checks what a read takes; its defaults. */
export function readTarget(options: ReadTarget | undefined): {
  maxBytes: number;
  into: Uint8Array | undefined;
} {
  if (options === undefined || options instanceof IterationWait) return DEFAULT_TARGET;
  const { maxBytes, into } = optionsObject<ReadTarget>(options);
  const limit = maxBytes === undefined ? undefined : integer(maxBytes, 'options.maxBytes', 1);
  if (into === undefined) return { maxBytes: limit ?? DEFAULT_MAX_BYTES, into: undefined };
  const memory = writableBytes(into, 'options.into');
  if (memory.length === 0) throw valueError('options.into', 'must not be empty', into);
  return { maxBytes: limit ?? memory.length, into: memory };
}

/** So many reads after its time `readAll` still takes what is there: a pipe of 1 MiB holds as many packets. */
const LATE = 256;

const DEFAULT_TARGET = { maxBytes: DEFAULT_MAX_BYTES, into: undefined };

/**
 * Everything until the end of file.
 *
 * @param giveBack - takes what was read by a call that fails, so that nothing is lost
 */
export async function readAllOf(
  reader: ByteReader,
  details: IpcErrorDetails,
  giveBack: (chunks: readonly Buffer[]) => void,
  options?: ReadAllOptions,
): Promise<Buffer> {
  const { maxBytes = Infinity, timeout, signal } = optionsObject(options);
  if (maxBytes !== Infinity) integer(maxBytes, 'options.maxBytes');
  waitOptions(options);
  const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
  const chunks: Buffer[] = [];
  let total = 0;
  let late = 0;
  try {
    for (;;) {
      const left = deadline - performance.now();
      // What was there in time counts; but a source that never runs dry would have no end.
      if (left <= 0 && late++ === LATE) throw timeoutError(details);
      const chunk = await reader.read({ signal, timeout: Math.max(0, left) });
      if (chunk === null) return Buffer.concat(chunks, total);
      chunks.push(chunk);
      total += chunk.length;
      if (total > maxBytes) {
        throw new IpcError('EMSGSIZE', {
          ...details,
          hint: `more than maxBytes (${maxBytes}) came: raise it, or read in parts`,
        });
      }
    }
  } catch (error) {
    if (total > 0) giveBack(chunks);
    throw error;
  }
}
