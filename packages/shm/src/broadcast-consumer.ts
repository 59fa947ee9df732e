import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  closedError,
  integer,
  iterate,
  optionsObject,
  ResourceHandle,
} from '@octoipc/core/kit';

import { EBADMSG } from './errno.js';
import { BroadcastPosition, producerDied, type MappedBroadcast } from './mapped-broadcast.js';
import { MessageSlab } from './message-slab.js';
import { PeerWatch } from './peer-watch.js';
import { AT, BROADCAST } from './racing-layout.js';
import { openReaderBell, wantReaderBell } from './reader-bells.js';
import { Seats } from './seat.js';
import { damageOf, DATA, MAGIC } from './shared-header.js';
import { closingBell, SharedWait, type BellKeeper } from './shared-wait.js';

/** How many messages are received at once, and for how long they are waited for. */
export interface BroadcastReceiveManyOptions extends WaitOptions {
  /** No more than so many. @default Infinity: all that are there, up to 65536 */
  readonly max?: number | undefined;
}

const MOST = 65_536;

const NEWEST = AT.newest / 4;

/**
 * A reader of a broadcast, one of any number.
 *
 * Lifetime: until `close()`, else until it is collected. A pending wait keeps it and the process alive. Others
 * do not know of it, and nothing of it is left behind.
 *
 * @see {@link ShmBroadcast.consumer}
 */
export class BroadcastConsumer extends ResourceHandle implements AsyncIterable<Buffer> {
  readonly #broadcast: MappedBroadcast;
  readonly #position: BroadcastPosition;
  readonly #slab = new MessageSlab();
  readonly #memory: Uint8Array;
  readonly #words: Int32Array;
  readonly #watch: PeerWatch;
  readonly #wait: SharedWait;
  #death = false;
  #missed = 0;
  /** Of the newest message when we last looked: the low word of its position. */
  #seen = 0;

  /** @internal */
  constructor(broadcast: MappedBroadcast, role: number) {
    const left: BellKeeper = { bell: undefined };
    super(closingBell(left));
    const { memory, geometry, target } = broadcast;
    this.#broadcast = broadcast;
    this.#memory = memory.bytes;
    const words = memory.view(Int32Array, 0, DATA / 4);
    this.#words = words;
    this.#watch = new PeerWatch(new Seats(memory, geometry.namespace), [0, 0]);
    let bell = -1;
    this.#wait = new SharedWait(
      {
        words,
        sleepWord: AT.readersSleep / 4,
        magic: BROADCAST.magic,
        details: { syscall: 'receive', target },
        checkUse: () => this.#checkUse(),
        isReady: () => Atomics.load(words, NEWEST) !== this.#seen,
        mend: () => this.#look(),
        onlyLooks: false,
        damage: () => this.#damage(),
        openBell: () => {
          const opened = openReaderBell(geometry.id);
          bell = opened.number;
          return opened.fd;
        },
        wantBell: () => wantReaderBell(words, bell),
      },
      left,
    );
    try {
      this.#position = new BroadcastPosition(broadcast, role, { syscall: 'mmap', target });
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
   * How many messages, of those before the last that it gave, were overwritten before they could be read. A
   * reader that is overrun goes on some way behind the newest, so that it is not overrun again at once.
   */
  get missed(): number {
    return this.#missed;
  }

  /**
   * For how long, in microseconds, a wait looks again and again before it sleeps; the event loop stands still
   * meanwhile.
   *
   * @default 0
   * @throws {RangeError} ERR_OUT_OF_RANGE when it is no number from 0 to a second
   */
  get spin(): number {
    return this.#wait.spin;
  }

  set spin(microseconds: number) {
    this.#wait.spin = microseconds;
  }

  /**
   * The next message; waits while there is none.
   *
   * @throws {IpcError} EOWNERDEAD once when the producer died, after all that it had sent; then it goes on
   * @throws {IpcError} EBADMSG when the broadcast is damaged: this end is closed then
   * @throws {IpcError} ETIMEDOUT when the timeout is over; ERR_CLOSED when it is closed
   */
  receive(options?: WaitOptions): Promise<Buffer> {
    return this.#wait.run(this.#one, options);
  }

  /** The next message if there is one; `undefined` if there is none, or others wait already. */
  tryReceive(): Buffer | undefined {
    this.#checkUse();
    if (this.#wait.waiting > 0) return undefined;
    const message = this.#one();
    return message === BLOCKED ? undefined : message;
  }

  /** As `receive`, but blocks the calling thread. */
  receiveSync(options?: { readonly timeout?: number | undefined }): Buffer {
    return this.#wait.runSync(this.#one, options);
  }

  /**
   * All messages that are there, up to where some were missed; waits while there is none.
   *
   * @returns the messages in their order, at least one
   */
  receiveMany(options?: BroadcastReceiveManyOptions): Promise<Buffer[]> {
    try {
      const { max = Infinity } = optionsObject<BroadcastReceiveManyOptions>(options);
      if (max !== Infinity) integer(max, 'options.max', 1);
      return this.#wait.run(() => this.#many(Math.min(max, MOST)), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Messages as they come, until this end is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.receive(wait) });
  }

  /** Pending waits reject with `ERR_CLOSED`. */
  override close(): void {
    if (this.closed) return;
    if (this.#wait.waiting > 0) this.#wait.fail(closedError(this.describe()));
    super.close();
    this.#broadcast.ended(this);
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    this.#wait.ref(true);
    return this;
  }

  /** Pending waits do not keep the process alive. */
  unref(): this {
    this.#wait.ref(false);
    return this;
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'receive', target: this.#broadcast.target };
  }

  readonly #one = (): Buffer | typeof BLOCKED => {
    if (this.#slab.empty && this.#fill() === 0) {
      if (this.#words[MAGIC] !== BROADCAST.magic) throw this.#damage();
      // What was published before the death comes first.
      if (!this.#death) this.#look();
      if (!this.#death) return BLOCKED;
      if (this.#fill() === 0) {
        this.#death = false;
        throw producerDied(this.describe());
      }
    }
    this.#missed = this.#position.missed;
    return this.#slab.next();
  };

  #many(max: number): Buffer[] | typeof BLOCKED {
    const first = this.#one();
    if (first === BLOCKED) return BLOCKED;
    const messages = [first];
    while (messages.length < max) {
      // Those behind a gap are for the next call, so that it can be told where it was.
      if (this.#slab.empty && (this.#fill() === 0 || this.#position.missed !== this.#missed)) break;
      messages.push(this.#slab.next());
    }
    return messages;
  }

  #fill(): number {
    this.#seen = Atomics.load(this.#words, NEWEST);
    const count = this.#slab.fill(this.#memory, this.#position.bytes);
    if (count === EBADMSG || this.#broadcast.memory.mapping.faulted) throw this.#damage();
    return count < 0 ? check(count, 'receive', this.describe()) : count;
  }

  #checkUse(): void {
    if (this.closed || this.#broadcast.memory.closed) throw closedError(this.describe());
  }

  #look(): void {
    if (this.#watch.look()) this.#death = true;
  }

  #damage(): Error {
    const error = damageOf(BROADCAST, this.#broadcast.memory, this.describe());
    this.#wait.fail(error);
    this.close();
    return error;
  }
}
