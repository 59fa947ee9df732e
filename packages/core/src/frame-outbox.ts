import type { ByteWriter } from './channel.js';
import { frameOf, newBatch, putLength, type Batch } from './frame-batch.js';
import { HEADER } from './frame.js';
import { tellBytesWritten } from './kit.js';
import { Pace } from './pace.js';

const WRITTEN = Promise.resolve();

/** Why a write was stopped; the writer adds how far it had come. */
interface Stopped {
  readonly reason: unknown;
  readonly bytesWritten?: number;
}

/**
 * Batches of frames on their way into a stream, one after the other.
 *
 * Lifetime: that of its writer. The first error is everybody's who comes later, since what follows a frame
 * that was cut would be misread.
 */
export class FrameOutbox {
  readonly #writer: ByteWriter;
  readonly #written: (batch: Batch) => void;
  readonly #queue: Batch[] = [];
  readonly #pace = new Pace();
  readonly #header = Buffer.alloc(HEADER);
  #busy = false;
  #broken: unknown;

  /** @param written - told of each batch whose memory is not needed any more */
  constructor(writer: ByteWriter, written: (batch: Batch) => void) {
    this.#writer = writer;
    this.#written = written;
  }

  /** What the stream failed with. */
  get broken(): unknown {
    return this.#broken;
  }

  /** Whether nothing is on its way. */
  get idle(): boolean {
    return this.#queue.length === 0;
  }

  /** Whether this batch is on its way. */
  has(batch: Batch): boolean {
    return this.#queue.includes(batch);
  }

  add(batch: Batch): void {
    if (this.#broken !== undefined) {
      refuse(batch, this.#broken);
      return;
    }
    this.#queue.push(batch);
    this.#pump(true);
  }

  /** Writes a long frame out of its caller's memory, and copies only what the stream does not take at once. */
  put(data: Uint8Array): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (!this.idle || this.#pace.pause(() => this.#pump(true))) {
      const batch = newBatch(frameOf(data));
      this.#queue.push(batch);
      return batch.promise;
    }
    let taken: number;
    try {
      putLength(this.#header, 0, data.length);
      taken = this.#writer.tryWrite(this.#header);
      if (taken === HEADER) taken += this.#writer.tryWrite(data);
    } catch (error) {
      this.fail(error);
      return Promise.reject(error);
    }
    if (taken === HEADER + data.length) return WRITTEN;
    const rest =
      taken < HEADER
        ? newBatch(frameOf(data), taken)
        : newBatch(Buffer.from(data.subarray(taken - HEADER)));
    this.#queue.push(rest);
    void this.#write(rest);
    return rest.promise;
  }

  /** Writes what the stream takes now, without a pause; whether nothing is on its way any more. */
  drain(): boolean {
    this.#pump(false);
    return this.idle;
  }

  /** Takes a batch of one frame back, as far as that is possible. */
  cancel(batch: Batch, reason: unknown): void {
    const index = this.#queue.indexOf(batch);
    if (index < 0) return;
    if (index === 0 && this.#busy) {
      // The writer tells how far it came; `#write` then drops the frame or finishes it.
      batch.controller?.abort({ reason });
    } else if (batch.start === 0) {
      this.#queue.splice(index, 1);
      batch.reject(tellBytesWritten(reason, 0));
    }
  }

  /** Rejects everything that is on its way, and whatever comes later. */
  fail(error: unknown): void {
    this.#broken ??= error;
    for (const batch of this.#queue.splice(0)) refuse(batch, error);
  }

  /** Writes what the stream takes now; for the rest it waits. */
  #pump(paced: boolean): void {
    // A pause may be over while something waits for the stream.
    if (this.#busy) return;
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      if (batch.begin !== undefined) {
        this.#queue.shift();
        batch.begin();
        continue;
      }
      if (paced && this.#pace.pause(() => this.#pump(true))) return;
      try {
        batch.start += this.#writer.tryWrite(batch.memory.subarray(batch.start, batch.end));
      } catch (error) {
        this.fail(error);
        return;
      }
      if (batch.start < batch.end) {
        void this.#write(batch);
        return;
      }
      this.#done(batch);
    }
  }

  async #write(batch: Batch): Promise<void> {
    this.#busy = true;
    const rest = batch.memory.subarray(batch.start, batch.end);
    try {
      const options = batch.controller && { signal: batch.controller.signal };
      await this.#writer.write(rest, options);
      batch.start = batch.end;
      this.#busy = false;
      this.#done(batch);
    } catch (error) {
      this.#busy = false;
      if (batch.controller?.signal.aborted !== true) {
        this.fail(error);
        return;
      }
      this.#giveUp(batch, batch.controller.signal.reason as Stopped);
    }
    this.#pump(true);
  }

  /** A cancelled frame leaves the queue if nothing of it was written, else it is finished unasked. */
  #giveUp(batch: Batch, { reason, bytesWritten = 0 }: Stopped): void {
    batch.start += bytesWritten;
    batch.controller = undefined;
    if (batch.start === 0) this.#queue.shift();
    batch.reject(tellBytesWritten(reason, batch.start));
  }

  #done(batch: Batch): void {
    this.#queue.shift();
    this.#written(batch);
    batch.resolve();
  }
}

/** What is no frame meets the stream's own error. */
function refuse(batch: Batch, error: unknown): void {
  if (batch.begin === undefined) batch.reject(error);
  else batch.begin();
}
