import type { Bytes, IpcErrorDetails } from '@octoipc/core';
import { bytes as bytesOf, check, closedError, IpcError, ResourceHandle } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { BroadcastPosition, ROLE, type MappedBroadcast } from './mapped-broadcast.js';
import { ringReaders } from './reader-bells.js';
import { takeSeat } from './seat.js';
import { BROADCAST } from './racing-layout.js';
import { damageOf, DATA, MAGIC } from './shared-header.js';

/**
 * The sending end of a broadcast.
 *
 * Lifetime: it has the only seat until `close()`, else until it is collected or its thread ends.
 *
 * @see {@link ShmBroadcast.producer}
 */
export class BroadcastProducer extends ResourceHandle {
  readonly #broadcast: MappedBroadcast;
  readonly #position: BroadcastPosition;
  readonly #memory: Uint8Array;
  readonly #words: Int32Array;

  /** @internal */
  constructor(broadcast: MappedBroadcast) {
    const { memory, geometry, target } = broadcast;
    const details = { syscall: 'mmap', target };
    const seat = takeSeat(memory, geometry.namespace, [0, 0], details);
    super({ release: () => seat.leave() });
    this.#broadcast = broadcast;
    this.#memory = memory.bytes;
    this.#words = memory.view(Int32Array, 0, DATA / 4);
    try {
      this.#position = new BroadcastPosition(broadcast, ROLE.producer, details);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /** Bytes of the longest message. */
  get maxMessageSize(): number {
    return this.#broadcast.geometry.longest;
  }

  /**
   * Sends a message to all readers. It never waits: where there is no room it overwrites the oldest, and who
   * had not read them learns how many he missed.
   *
   * @param message - bytes, or a string as UTF-8
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`
   * @throws {IpcError} EBADMSG when the broadcast was wiped out: this end is closed then
   * @throws {IpcError} ERR_CLOSED when it is closed
   */
  send(message: Bytes): void {
    const data = bytesOf(message, 'message');
    const { memory, geometry } = this.#broadcast;
    if (this.closed || memory.closed) throw closedError(this.describe());
    if (data.length > geometry.longest) {
      throw new IpcError('EMSGSIZE', {
        ...this.describe(),
        hint: `it has ${data.length} bytes; the broadcast was created for ${geometry.longest} at most`,
      });
    }
    if (this.#words[MAGIC] !== BROADCAST.magic) throw this.#damage();
    const bits = binding().broadcastSend(this.#memory, this.#position.bytes, data);
    if (bits > 0) ringReaders(this.#words, geometry.id, bits);
    else if (bits < 0) check(bits, 'send', this.describe());
    // It may have gone to pages that somebody has cut off.
    if (memory.mapping.faulted) throw this.#damage();
  }

  /** Leaves; readers keep what they have not read. */
  override close(): void {
    if (this.closed) return;
    super.close();
    this.#broadcast.ended(this);
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'send', target: this.#broadcast.target };
  }

  #damage(): Error {
    const error = damageOf(BROADCAST, this.#broadcast.memory, this.describe());
    this.close();
    return error;
  }
}
