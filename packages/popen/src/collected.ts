import type { OutputReader } from './output.js';

/** Reads of one pipe in a row, before the others have their turn. */
const BURST = 16;

/** One output that is collected. */
export class Collected {
  readonly #reader: OutputReader | null;
  readonly #chunks: Buffer[] = [];
  #room: number;
  overflow = false;

  constructor(reader: OutputReader | null, room: number) {
    this.#reader = reader;
    this.#room = room;
  }

  /** Its descriptor; undefined once it has ended. */
  get fd(): number | undefined {
    return this.#reader === null || this.#reader.closed ? undefined : this.#reader.fd;
  }

  get whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Reads what is there. */
  pump(): void {
    for (let i = 0; i < BURST && this.fd !== undefined; i++) {
      const chunk = this.#reader!.tryRead();
      if (chunk === undefined) return;
      if (chunk !== null) this.#chunks.push(chunk.subarray(0, this.#room));
      this.overflow ||= chunk !== null && chunk.length > this.#room;
      this.#room -= chunk?.length ?? 0;
      if (chunk === null || this.overflow) this.#reader!.close();
    }
  }
}
