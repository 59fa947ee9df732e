import { check, integer, optionalBoolean, optionsObject } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { PipeEnd } from './end.js';
import { PipeReader } from './reader.js';
import { PipeWriter } from './writer.js';

/** How a pipe is made. */
export interface CreatePipeOptions {
  /**
   * Packet mode (O_DIRECT): each write of up to PIPE_BUF bytes is one packet, each read gives one.
   *
   * @default false
   */
  readonly packet?: boolean;
  /**
   * Bytes that it holds; the kernel rounds up to a power of two of pages.
   *
   * @default what the kernel gives: 65536, less for a user who has many pipes
   */
  readonly capacity?: number;
}

/** Both ends of a pipe. */
export interface Pipe {
  readonly reader: PipeReader;
  readonly writer: PipeWriter;
  /** Closes both ends. */
  close(): void;
  [Symbol.dispose](): void;
}

const ends = new Int32Array(2);

/**
 * Makes a pipe, whose both ends are close-on-exec.
 *
 * @param options - packet mode and capacity
 * @returns the two ends; closing the writer is what gives the reader its end of file
 * @throws {IpcError} EMFILE when this process has too many descriptors, ENFILE when the system has
 * @throws {IpcError} EPERM when the capacity is over fs.pipe-max-size
 * @throws {RangeError} ERR_OUT_OF_RANGE when the capacity is no positive whole number up to 2^31 - 1
 * @example
 * ```js
 * import { createPipe } from '@octoipc/pipe';
 *
 * const pipe = createPipe({ capacity: 1024 * 1024 });
 * await pipe.writer.write('hello');
 * String(await pipe.reader.read()); //=> 'hello'
 * pipe.close(); // or declare it with `using`, in TypeScript and in Node.js 24
 * ```
 * @see pipe2(2)
 */
export function createPipe(options?: CreatePipeOptions): Pipe {
  const { packet, capacity } = optionsObject(options);
  optionalBoolean(packet, 'options.packet');
  if (capacity !== undefined) integer(capacity, 'options.capacity', 1, 0x7fffffff);
  const { reader, writer } = openPipe({ packet, reader: true, writer: true });
  const pipe: Pipe = {
    reader: PipeReader.over(new PipeEnd(reader, 'ours')),
    writer: PipeWriter.over(new PipeEnd(writer, 'ours')),
    close() {
      this.writer.close();
      this.reader.close();
    },
    [Symbol.dispose]() {
      this.close();
    },
  };
  try {
    if (capacity !== undefined) pipe.reader.capacity = capacity;
  } catch (error) {
    pipe.close();
    throw error;
  }
  return pipe;
}

/** pipe2(2): the descriptors, owned by the binding; those of `true` are non-blocking. */
export function openPipe(options: {
  readonly packet?: boolean | undefined;
  readonly reader: boolean;
  readonly writer: boolean;
}): { reader: number; writer: number } {
  const { packet = false, reader, writer } = options;
  check(binding().pipe(ends, packet, reader, writer), 'pipe2', {
    hint: 'close what is not needed, or raise the limit: ulimit -n (RLIMIT_NOFILE)',
  });
  return { reader: ends[0]!, writer: ends[1]! };
}
