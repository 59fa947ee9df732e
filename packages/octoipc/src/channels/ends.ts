import type { Bytes, ChannelTraits, Codec, Receiver, Sender, WaitOptions } from '@octoipc/core';

import { following, optionsObject, valueError } from '@octoipc/core/kit';

import type { ChannelReceiver, ChannelSender } from './options.js';
import type { SchemeEnd } from './registry.js';

/** What both ends have in common: the mechanism's own end, which they close. */
abstract class End<E extends Sender | Receiver> {
  readonly url: string;
  readonly traits: ChannelTraits;
  protected readonly end: E & SchemeEnd;
  protected readonly codec: Codec<unknown> | undefined;

  constructor(url: string, end: E & SchemeEnd, codec: Codec<unknown> | undefined) {
    this.url = end.url ?? url;
    this.traits = end.traits;
    this.end = end;
    this.codec = codec;
  }

  get closed(): boolean {
    return this.end.closed;
  }

  close(): void {
    this.end.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The sending end of a URL's channel. */
export class SendingEnd extends End<Sender> implements ChannelSender<unknown> {
  readonly #priority: number | undefined;

  constructor(
    url: string,
    end: Sender & SchemeEnd,
    codec: Codec<unknown> | undefined,
    priority: number | undefined,
  ) {
    super(url, end, codec);
    this.#priority = priority;
  }

  send(value: unknown, options?: WaitOptions & { readonly priority?: number }): Promise<void> {
    try {
      const message = this.#message(value);
      if (this.#priority === undefined) return this.end.send(message, options);
      return this.end.send(message, {
        ...options,
        priority: optionsObject(options).priority ?? this.#priority,
      });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  trySend(value: unknown, options?: { readonly priority?: number }): boolean {
    const message = this.#message(value);
    const priority = optionsObject(options).priority ?? this.#priority;
    if (priority === undefined) return this.end.trySend(message);
    if (priority !== 0 && !this.traits.priorities) {
      throw valueError('options.priority', `is not what ${this.traits.mechanism} has`, priority);
    }
    return this.end.trySend(message, { priority });
  }

  /** Closes it, and waits for what becomes of its messages where that is told; rejects if they came to nothing. */
  async finish(options?: WaitOptions): Promise<void> {
    if (this.end.finish === undefined) this.close();
    else await this.end.finish(options);
  }

  /** Without a codec a value is a message. */
  #message(value: unknown): Bytes {
    return this.codec === undefined ? (value as Bytes) : this.codec.encode(value);
  }
}

/** The receiving end of a URL's channel. */
export class ReceivingEnd extends End<Receiver> implements ChannelReceiver<unknown> {
  receive(options?: WaitOptions): Promise<unknown> {
    const received = this.end.receive(options);
    return this.codec === undefined ? received : received.then((message) => this.#value(message));
  }

  tryReceive(): unknown {
    const message = this.end.tryReceive();
    return message === undefined ? undefined : this.#value(message);
  }

  async done(): Promise<void> {
    await this.end.done?.();
  }

  /** What comes until the end, or until it is closed; leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    return following(this.end[Symbol.asyncIterator](), {
      value: (message) => this.#value(message),
    });
  }

  #value(message: Buffer | null): unknown {
    if (message === null || this.codec === undefined) return message;
    return this.codec.decode(message);
  }
}
