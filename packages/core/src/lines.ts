import type { ByteReader } from './channel.js';
import { IpcError } from './errors.js';
import { integer, optionsObject } from './validate.js';

/** What `lines` takes. */
export interface LinesOptions {
  /**
   * The longest line, in bytes: a longer one rejects with `EMSGSIZE`, so that a peer without line feeds
   * cannot fill the memory.
   *
   * @default 16777216 (16 MiB)
   */
  readonly maxLineLength?: number | undefined;
}

/** So many parts of a line are joined before more come. */
const PARTS = 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The lines of a byte stream as UTF-8 text. */
export async function* linesOf(
  reader: ByteReader,
  options?: LinesOptions,
): AsyncIterableIterator<string> {
  const { maxLineLength = 16 * 1024 * 1024 } = optionsObject(options);
  integer(maxLineLength, 'options.maxLineLength', 1);
  let begun: Buffer[] = [];
  let length = 0;
  const grow = (part: Buffer): void => {
    length += part.length;
    if (length > maxLineLength) {
      throw new IpcError('EMSGSIZE', {
        syscall: 'read',
        hint: `a line is longer than maxLineLength (${maxLineLength})`,
      });
    }
    begun.push(part);
    // A peer that sends byte by byte must not cost an object a byte.
    if (begun.length === PARTS) begun = [Buffer.concat(begun)];
  };
  for (let chunk = await reader.read(); chunk !== null; chunk = await reader.read()) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      grow(chunk.subarray(start, end));
      yield textOf(begun);
      begun = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) grow(chunk.subarray(start));
  }
  if (length > 0) yield textOf(begun);
}

function textOf(parts: readonly Buffer[]): string {
  const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
  return line.toString('utf8', 0, end);
}
