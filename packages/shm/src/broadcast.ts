import type { IpcErrorDetails } from '@octoipc/core';
import { closedError, integer, oneOf, optionsObject, ResourceHandle } from '@octoipc/core/kit';

import { BroadcastConsumer } from './broadcast-consumer.js';
import { BroadcastProducer } from './broadcast-producer.js';
import { Ends } from './ends.js';
import { ROLE, type MappedBroadcast } from './mapped-broadcast.js';
import { handleIn, newPlace, placeOf } from './place.js';
import {
  BROADCAST,
  broadcastCapacity,
  longestOf,
  racingHeader,
  readRacing,
  type RacingGeometry,
} from './racing-layout.js';
import { SharedMemory } from './shared-memory.js';

/** How a broadcast is created. */
export interface ShmBroadcastOptions {
  /** Bytes for messages and their headers of 16; rounded up to a power of two that four largest messages fit in. */
  readonly capacity: number;
  /** The longest message. @default capacity / 4 - 16 */
  readonly maxMessageSize?: number | undefined;
  /** Permission bits, exact whatever the umask; for a name only. @default 0o600 */
  readonly mode?: number | undefined;
  /** The name goes when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
}

/** Where a reader begins. */
export interface BroadcastConsumerOptions {
  /** With the next message that is sent; or with old ones, of which at least the newest is there still. @default 'next' */
  readonly from?: 'next' | 'oldest' | undefined;
}

/**
 * A broadcast: messages from one producer, which never waits, to any number of readers. Each sees every message,
 * or learns how many it missed because it was too slow; who joins late sees what comes then.
 *
 * Lifetime: the handle has the memory mapped until `close()`, which closes its ends as well. The broadcast
 * is that of its memory: it outlives all processes, until it is unlinked. A producer that dies leaves all that
 * it had sent whole, readers are told, and the next one goes on. Of readers nobody needs to know.
 *
 * @example
 * ```js
 * import { ShmBroadcast } from '@octoipc/shm';
 *
 * const prices = ShmBroadcast.create('/octoipc-doc-prices', { capacity: 65536, temporary: true });
 * const producer = prices.producer();
 * const consumer = prices.consumer();
 * producer.send('101.5');
 * String(await consumer.receive()); //=> '101.5'
 * consumer.missed; //=> 0
 * prices.close();
 * ```
 * @see shm_overview(7), futex(2)
 */
export class ShmBroadcast extends ResourceHandle {
  readonly #memory: SharedMemory;
  readonly #geometry: RacingGeometry;
  readonly #target: string | number;
  readonly #ends = new Ends();

  private constructor(memory: SharedMemory, target: string | number, geometry: RacingGeometry) {
    // The memory is a handle, and goes by itself when this is forgotten.
    super({ release: () => {} });
    this.#memory = memory;
    this.#target = target;
    this.#geometry = geometry;
  }

  /**
   * Creates a broadcast, under a name or in memory that is there (zeroes, for instance of a memfd).
   *
   * @param where - a name, a slash and up to 254 bytes without one; or memory, of which it takes the first
   *   4096 + capacity bytes
   * @throws {IpcError} EEXIST when there is something of that name, or the memory holds something
   * @throws {IpcError} ENOSPC when there is no room for it
   * @throws {RangeError} ERR_OUT_OF_RANGE when it does not fit into the memory
   */
  static create(where: string | SharedMemory, options: ShmBroadcastOptions): ShmBroadcast {
    const given = optionsObject<ShmBroadcastOptions>(options);
    integer(given.capacity, 'options.capacity', 1);
    if (given.maxMessageSize !== undefined) {
      integer(given.maxMessageSize, 'options.maxMessageSize', 0);
    }
    const size = broadcastCapacity(given.capacity, given.maxMessageSize);
    const longest = given.maxMessageSize ?? longestOf(size);
    const header = racingHeader(BROADCAST, { size, longest });
    const made = { size: BROADCAST.bytes(size), option: 'options.capacity', header };
    const place = newPlace(where, made, given);
    return handleIn(place, ({ memory, target }) => ShmBroadcast.#in(memory, target));
  }

  /**
   * Attaches to a broadcast that another process has created; one that it is just creating is waited for.
   *
   * @throws {IpcError} ENOENT when there is nothing of that name; EACCES when its mode forbids it
   * @throws {IpcError} EBADMSG when it is no broadcast, or of another version
   */
  static attach(where: string | SharedMemory): ShmBroadcast {
    return handleIn(placeOf(where), ({ memory, target }) => ShmBroadcast.#in(memory, target));
  }

  static #in(memory: SharedMemory, target: string | number): ShmBroadcast {
    const geometry = readRacing(memory, BROADCAST, { syscall: 'mmap', target });
    return new ShmBroadcast(memory, target, geometry);
  }

  /**
   * Removes a name; who has the broadcast mapped goes on with it.
   *
   * @throws {IpcError} ENOENT when there is none
   */
  static unlink(name: string): void {
    SharedMemory.unlink(name);
  }

  /** Bytes for messages and their headers. */
  get capacity(): number {
    return this.#geometry.size;
  }

  /** Bytes of the longest message. */
  get maxMessageSize(): number {
    return this.#geometry.longest;
  }

  /**
   * Joins as the producer.
   *
   * @throws {IpcError} EBUSY when there is one, which is alive
   * @throws {IpcError} EBADMSG when the broadcast is damaged
   */
  producer(): BroadcastProducer {
    return this.#ends.add(new BroadcastProducer(this.#mapped()));
  }

  /**
   * Joins as a reader.
   *
   * @throws {IpcError} EBADMSG when the broadcast is damaged
   */
  consumer(options?: BroadcastConsumerOptions): BroadcastConsumer {
    const { from = 'next' } = optionsObject<BroadcastConsumerOptions>(options);
    const role = ROLE[oneOf(from, 'options.from', ['next', 'oldest'] as const)];
    return this.#ends.add(new BroadcastConsumer(this.#mapped(), role));
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
  #mapped(): MappedBroadcast {
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
