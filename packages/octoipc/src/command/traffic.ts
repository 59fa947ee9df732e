import { setTimeout as delay } from 'node:timers/promises';

import { amount, time } from '../tour/report.js';

/** What `send` and `recv` report at their end. */
export interface Figures {
  readonly messages: number;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Counts messages, and holds them back so that no more come a second than there may. */
export class Traffic {
  readonly #rate: number | undefined;
  #start: number | undefined;
  #last = 0;
  #messages = 0;
  #bytes = 0;

  /** @param rate - messages a second; as fast as it goes, if left out */
  constructor(rate?: number) {
    this.#rate = rate;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Waits until the next message may go. */
  async pace(signal: AbortSignal): Promise<void> {
    this.#start ??= performance.now();
    if (this.#rate === undefined) return;
    const due = this.#start + (this.#messages * 1000) / this.#rate;
    const early = due - performance.now();
    if (early > 0) await delay(early, undefined, { signal });
  }

  /** A message has passed. */
  add(bytes: number): void {
    this.#start ??= performance.now();
    this.#last = performance.now();
    this.#messages += 1;
    this.#bytes += bytes;
  }

  /** From the first message to the last. */
  figures(): Figures {
    const milliseconds = Math.max(this.#last - (this.#start ?? this.#last), 0);
    const perSecond = (count: number): number =>
      milliseconds === 0 ? 0 : Math.round((count * 1000) / milliseconds);
    return {
      messages: this.#messages,
      bytes: this.#bytes,
      milliseconds: Number(milliseconds.toFixed(3)),
      messagesPerSecond: perSecond(this.#messages),
      bytesPerSecond: perSecond(this.#bytes),
    };
  }
}

/** Figures for people, in a line. */
export function spoken(figures: Figures): string {
  const { messages, bytes, milliseconds, messagesPerSecond, bytesPerSecond } = figures;
  const count = messages === 1 ? '1 message' : `${messages.toLocaleString('en-US')} messages`;
  const rates = `${messagesPerSecond.toLocaleString('en-US')} messages/s, ${amount(bytesPerSecond)}/s`;
  return `${count}, ${amount(bytes)}, ${time(milliseconds)}${milliseconds === 0 ? '' : `, ${rates}`}`;
}
