import { callback } from '@octoipc/core/kit';

import type { SignalInfo } from './info.js';
import { Mailbox } from './mailbox.js';
import { numberOf, type Signal } from './names.js';
import { checkOurs } from './refusal.js';

/** What `onSignal` gives: watches until it is disposed of. */
export interface SignalListener extends Disposable {
  /** Keeps the process alive. */
  ref(): this;
  /** Does not, which is so from the start. */
  unref(): this;
  /** Listens no longer; the same as disposing of it. */
  close(): void;
}

/** Lifetime: the mailbox is open until `close`, whether or not somebody refers to this. */
class Listening implements SignalListener {
  readonly #mailbox: Mailbox;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  ref(): this {
    this.#mailbox.ref(true);
    return this;
  }

  unref(): this {
    this.#mailbox.ref(false);
    return this;
  }

  close(): void {
    this.#mailbox.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Calls back for each signal, as `process.on` does, with everything that the kernel tells. Does not keep the
 * process alive.
 *
 * @param signal - by name or number
 * @param listener - told of each
 * @returns what ends it
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it cannot be caught, or is none of this system
 * @example
 * ```js
 * import { onSignal, send } from '@octoipc/signal';
 *
 * const listening = onSignal('SIGUSR2', ({ codeName, pid }) => {
 *   console.log(codeName, pid === process.pid); // SI_USER true
 *   listening.close();
 * }).ref();
 * send(process.pid, 'SIGUSR2');
 * ```
 * @see sigaction(2)
 */
export function onSignal(signal: Signal, listener: (info: SignalInfo) => void): SignalListener {
  const number = numberOf(signal);
  checkOurs([number], 'signal');
  callback(listener, 'listener');
  const deliver = (info: SignalInfo): void => {
    try {
      listener(info);
    } catch (error) {
      // An uncaught exception, which does not keep others from being told.
      process.nextTick(() => {
        throw error;
      });
    }
  };
  const mailbox = new Mailbox([number], { deliver });
  mailbox.ref(false);
  mailbox.open();
  mailbox.listen(() => undefined);
  return new Listening(mailbox);
}
