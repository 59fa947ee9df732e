import { frameOf, newBatch, putLength, type Batch } from './frame-batch.js';
import type { FrameOutbox } from './frame-outbox.js';
import { HEADER } from './frame.js';

/** Frames up to this size are gathered and written together; longer ones go out by themselves. */
const SMALL = 16 * 1024;

/**
 * Small frames of one turn of the event loop, which go out together.
 *
 * Lifetime: that of its sender. The memory of a batch that was written is that of the next.
 */
export class FrameGathering {
  readonly #outbox: FrameOutbox;
  readonly #batchSize: number;
  readonly #atomic: boolean;
  readonly #flushLater = (): void => this.flush();
  #batch: Batch | undefined;
  #spare: Buffer | undefined;

  /** @param atomic - whether each frame has to be one write */
  constructor(outbox: FrameOutbox, batchSize: number, atomic: boolean) {
    this.#outbox = outbox;
    this.#batchSize = batchSize;
    this.#atomic = atomic;
  }

  /** Adds a message; the promise of the batch that it goes out with. */
  append(data: Uint8Array): Promise<void> {
    const { length } = data;
    const size = HEADER + length;
    if (size > SMALL || size > this.#batchSize) return this.#alone(data);
    let batch = this.#batch;
    if (batch === undefined || batch.end + size > this.#batchSize) {
      this.flush();
      batch = this.#begin();
    }
    const { memory, end } = batch;
    putLength(memory, end, length);
    memory.set(data, end + HEADER);
    batch.end = end + size;
    return batch.promise;
  }

  /** Sends what was gathered. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    this.#outbox.add(batch);
  }

  /** Takes back the memory of a batch that was written. */
  reuse(memory: Buffer): void {
    if (memory.length === this.#batchSize) this.#spare = memory;
  }

  #alone(data: Uint8Array): Promise<void> {
    this.flush();
    if (!this.#atomic) return this.#outbox.put(data);
    const batch = newBatch(frameOf(data));
    this.#outbox.add(batch);
    return batch.promise;
  }

  /** Begins a batch, which goes out when this turn is over. */
  #begin(): Batch {
    const batch = newBatch(this.#spare ?? Buffer.allocUnsafeSlow(this.#batchSize), 0, 0);
    this.#spare = undefined;
    this.#batch = batch;
    queueMicrotask(this.#flushLater);
    return batch;
  }
}
