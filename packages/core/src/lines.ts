import { BLOCKED } from './attempt.js';
import type { ByteReader } from './channel.js';
import { IpcError } from './errors.js';
import { iterate, type IterationSource } from './iteration.js';
import { Turn } from './turn.js';
import { integer, optionsObject } from './validate.js';
import type { WaitOptions } from './wait.js';

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

const NOTHING = Buffer.alloc(0);

/**
 * The lines of a byte stream as UTF-8 text.
 *
 * @param giveBack - takes what was read ahead when the loop is left, so that nothing is lost
 */
export function linesOf(
  reader: ByteReader,
  options?: LinesOptions,
  giveBack: (chunks: readonly Buffer[]) => void = () => {},
): AsyncIterableIterator<string> {
  return iterate(new Lines(reader, options, giveBack));
}

/** Lifetime: that of one iteration, which reads only while somebody waits for a line. */
class Lines implements IterationSource<string> {
  readonly handle: ByteReader;
  readonly #options: LinesOptions | undefined;
  readonly #giveBack: (chunks: readonly Buffer[]) => void;
  readonly #turn = new Turn();
  #maxLineLength = 0;
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** The line that was begun in earlier chunks. */
  #begun: Buffer[] = [];
  #length = 0;
  #isLeft = false;

  constructor(
    reader: ByteReader,
    options: LinesOptions | undefined,
    giveBack: (chunks: readonly Buffer[]) => void,
  ) {
    this.handle = reader;
    this.#options = options;
    this.#giveBack = giveBack;
  }

  take(): string | typeof BLOCKED {
    if (this.#maxLineLength === 0) this.#check();
    if (this.#turn.taken) return BLOCKED;
    return this.#cut() ?? BLOCKED;
  }

  async receive(wait: WaitOptions): Promise<string | null> {
    if (!this.#turn.tryTake()) await this.#turn.take(wait, { syscall: 'read' });
    try {
      for (;;) {
        const line = this.#cut();
        if (line !== undefined) return line;
        const chunk = await this.handle.read(wait);
        if (chunk === null) return this.#length > 0 ? this.#finish(NOTHING) : null;
        this.#chunk = chunk;
        this.#at = 0;
      }
    } finally {
      this.#turn.pass();
      if (this.#isLeft) this.left();
    }
  }

  /** What belongs to no line that was given is read again by whoever reads next. */
  left(): void {
    this.#isLeft = true;
    if (this.#turn.taken) return;
    const unread = [...this.#begun, this.#chunk.subarray(this.#at)];
    this.#begun = [];
    this.#length = 0;
    this.#chunk = NOTHING;
    if (unread.some(({ length }) => length > 0) && !this.handle.closed) this.#giveBack(unread);
  }

  #check(): void {
    const { maxLineLength = 16 * 1024 * 1024 } = optionsObject(this.#options);
    this.#maxLineLength = integer(maxLineLength, 'options.maxLineLength', 1);
  }

  /** The next line, if all of it was read; else what there is of it is kept. */
  #cut(): string | undefined {
    const chunk = this.#chunk;
    const end = chunk.indexOf(LINE_FEED, this.#at);
    const part = chunk.subarray(this.#at, end < 0 ? chunk.length : end);
    if (this.#length + part.length > this.#maxLineLength) {
      throw new IpcError('EMSGSIZE', {
        syscall: 'read',
        hint: `a line is longer than maxLineLength (${this.#maxLineLength})`,
      });
    }
    if (end >= 0) {
      this.#at = end + 1;
      return this.#finish(part);
    }
    if (part.length > 0) this.#keep(part);
    this.#chunk = NOTHING;
    this.#at = 0;
    return undefined;
  }

  #keep(part: Buffer): void {
    this.#begun.push(part);
    this.#length += part.length;
    // A peer that sends byte by byte must not cost an object a byte.
    if (this.#begun.length === PARTS) this.#begun = [Buffer.concat(this.#begun)];
  }

  #finish(part: Buffer): string {
    const line = this.#begun.length === 0 ? part : Buffer.concat([...this.#begun, part]);
    this.#begun = [];
    this.#length = 0;
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    return line.toString('utf8', 0, end);
  }
}
