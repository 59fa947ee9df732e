import type { Bytes, ChannelTraits, Receiver, Sender, WaitOptions } from '@octoipc/core';

import type { SchemeEnd } from './registry.js';

/** What a scheme tells otherwise than the package's own end. */
interface Changes {
  readonly mechanism: string;
  readonly multipleSenders?: boolean;
  readonly url?: string;
}

/** An end that tells other traits, and is the given one in all else. */
class Told<E extends Sender | Receiver> {
  readonly traits: ChannelTraits;
  declare readonly url?: string;
  protected readonly end: E;

  constructor(end: E, { url, ...traits }: Changes) {
    this.end = end;
    this.traits = Object.freeze({ ...end.traits, ...traits });
    if (url !== undefined) this.url = url;
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

/** A sender with other traits. */
export class ToldSender extends Told<Sender> implements Sender, SchemeEnd {
  send(message: Bytes, options?: WaitOptions & { readonly priority?: number }): Promise<void> {
    return this.end.send(message, options);
  }

  trySend(message: Bytes): boolean {
    return this.end.trySend(message);
  }
}

/** A receiver with other traits. */
export class ToldReceiver extends Told<Receiver> implements Receiver, SchemeEnd {
  receive(options?: WaitOptions): Promise<Buffer | null> {
    return this.end.receive(options);
  }

  tryReceive(): Buffer | null | undefined {
    return this.end.tryReceive();
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this.end[Symbol.asyncIterator]();
  }
}
