import type { IpcErrorDetails } from '@octoipc/core';
import { closedError, integer, oneOf, optionsObject, ResourceHandle } from '@octoipc/core/kit';

import { Ends } from './ends.js';
import type { MappedRing } from './mapped-ring.js';
import { handleIn, newPlace, placeOf } from './place.js';
import { RingConsumer } from './ring-consumer.js';
import {
  bytesOfRing,
  capacityFor,
  longestMessage,
  readRing,
  ringHeader,
  type RingGeometry,
} from './ring-layout.js';
import { RingProducer } from './ring-producer.js';
import { SharedMemory } from './shared-memory.js';

/** How a ring is created. */
export interface ShmRingOptions {
  /** Bytes for messages and their headers of 8; rounded up to a power of two that two largest messages fit in. */
  readonly capacity: number;
  /** The longest message. @default capacity / 2 - 8 */
  readonly maxMessageSize?: number | undefined;
  /** Whether there can be several producers, up to 32, at a time. @default 'single' */
  readonly producers?: 'single' | 'multiple' | undefined;
  /** Permission bits, exact whatever the umask; for a name only. @default 0o600 */
  readonly mode?: number | undefined;
  /** The name goes when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
}

/**
 * A ring: messages from producers to one consumer through shared memory, in order. A system call is made
 * only when a side sleeps.
 *
 * Lifetime: the handle has the memory mapped until `close()`, which closes its ends as well. The ring is
 * that of its memory: it outlives all processes, until it is unlinked. A process that dies leaves the ring
 * whole; what it had published stays, what it was writing was never there, and what a consumer had not
 * given back yet comes again: at least once.
 *
 * @example
 * ```js
 * import { ShmRing } from '@octoipc/shm';
 *
 * const ring = ShmRing.create('/octoipc-doc-ring', { capacity: 65536, temporary: true });
 * const producer = ring.producer();
 * const consumer = ring.consumer();
 * await producer.send('hello');
 * String(await consumer.receive()); //=> 'hello'
 * ring.close();
 * ```
 * @see shm_overview(7), futex(2)
 */
export class ShmRing extends ResourceHandle {
  readonly #memory: SharedMemory;
  readonly #geometry: RingGeometry;
  readonly #target: string | number;
  readonly #ends = new Ends();

  private constructor(memory: SharedMemory, target: string | number, geometry: RingGeometry) {
    // The memory is a handle, and goes by itself when this is forgotten.
    super({ release: () => {} });
    this.#memory = memory;
    this.#target = target;
    this.#geometry = geometry;
  }

  /**
   * Creates a ring, under a name or in memory that is there (zeroes, for instance of a memfd).
   *
   * @param where - a name, a slash and up to 254 bytes without one; or memory, of which the ring takes its first
   *   4096 + capacity bytes
   * @throws {IpcError} EEXIST when there is something of that name, or the memory holds something
   * @throws {IpcError} ENOSPC when there is no room for it
   * @throws {RangeError} ERR_OUT_OF_RANGE when it does not fit into the memory
   */
  static create(where: string | SharedMemory, options: ShmRingOptions): ShmRing {
    const given = optionsObject<ShmRingOptions>(options);
    integer(given.capacity, 'options.capacity', 1);
    if (given.maxMessageSize !== undefined) {
      integer(given.maxMessageSize, 'options.maxMessageSize', 0);
    }
    const producers = oneOf(given.producers ?? 'single', 'options.producers', [
      'single',
      'multiple',
    ] as const);
    const capacity = capacityFor(given.capacity, given.maxMessageSize);
    const maxMessageSize = given.maxMessageSize ?? longestMessage(capacity);
    const header = ringHeader({ capacity, maxMessageSize, turns: producers === 'multiple' });
    const size = bytesOfRing(capacity);
    const place = newPlace(where, { size, option: 'options.capacity', header }, given);
    return handleIn(place, ({ memory, target }) => ShmRing.#in(memory, target));
  }

  /**
   * Attaches to a ring that another process has created; one that it is just creating is waited for.
   *
   * @throws {IpcError} ENOENT when there is nothing of that name; EACCES when its mode forbids it
   * @throws {IpcError} EBADMSG when it is no ring, or of another version
   */
  static attach(where: string | SharedMemory): ShmRing {
    return handleIn(placeOf(where), ({ memory, target }) => ShmRing.#in(memory, target));
  }

  static #in(memory: SharedMemory, target: string | number): ShmRing {
    return new ShmRing(memory, target, readRing(memory, { syscall: 'mmap', target }));
  }

  /**
   * Removes a name; who has the ring mapped goes on with it.
   *
   * @throws {IpcError} ENOENT when there is none
   */
  static unlink(name: string): void {
    SharedMemory.unlink(name);
  }

  /** Bytes for messages and their headers. */
  get capacity(): number {
    return this.#geometry.capacity;
  }

  /** Bytes of the longest message. */
  get maxMessageSize(): number {
    return this.#geometry.maxMessageSize;
  }

  /** Whether there can be several producers at a time. */
  get producers(): 'single' | 'multiple' {
    return this.#geometry.turns ? 'multiple' : 'single';
  }

  /**
   * Joins as a producer.
   *
   * @throws {IpcError} EBUSY when the ring has all its producers, and they are alive
   */
  producer(): RingProducer {
    return this.#ends.add(new RingProducer(this.#mapped()));
  }

  /**
   * Joins as the consumer.
   *
   * @throws {IpcError} EBUSY when the ring has one, which is alive
   */
  consumer(): RingConsumer {
    return this.#ends.add(new RingConsumer(this.#mapped()));
  }

  /** Closes its ends, and unmaps the memory. */
  override close(): void {
    if (this.closed) return;
    this.#ends.close();
    super.close();
    this.#memory.close();
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'mmap', target: this.#target };
  }

  /** What its ends need. */
  #mapped(): MappedRing {
    if (this.closed) throw closedError(this.describe());
    return {
      memory: this.#memory,
      geometry: this.#geometry,
      target: this.#target,
      // An end keeps this: what is in use is not forgotten.
      ended: (end) => this.#ends.delete(end),
    };
  }
}
