import type { JsMsg } from '@nats-io/jetstream';

/** A message that the server counts as being with us. */
export interface Delivery {
  /** As it came last: the server may send it again, and wants that one acknowledged. */
  message: JsMsg;
  handedOut: boolean;
}

/** So many acknowledged messages are remembered, in case that the acknowledgement was lost. */
const REMEMBERED = 4096;

/**
 * What is with us and not acknowledged, by its number in the stream.
 *
 * Lifetime: that of its receiver. While something is in it, the server is told at a third of its patience
 * that it is being worked on.
 */
export class Ledger {
  readonly #open = new Map<number, Delivery>();
  readonly #acknowledged = new Set<number>();
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ackWait: number) {
    this.#interval = ackWait / 3;
  }

  /** Takes a message down; undefined if it is one that we have, or have had, already. */
  enter(message: JsMsg): Delivery | undefined {
    const { seq } = message;
    if (this.#acknowledged.has(seq)) {
      message.ack();
      return undefined;
    }
    const known = this.#open.get(seq);
    if (known !== undefined) {
      known.message = message;
      return undefined;
    }
    const delivery = { message, handedOut: false };
    this.#open.set(seq, delivery);
    this.#timer ??= setInterval(() => this.#tell(), this.#interval).unref();
    return delivery;
  }

  /** What somebody has been given. */
  handedOut(): Delivery[] {
    return [...this.#open.values()].filter((delivery) => delivery.handedOut);
  }

  acknowledge(delivery: Delivery): void {
    if (!this.#open.has(delivery.message.seq)) return;
    delivery.message.ack();
    this.forget(delivery);
  }

  /** It is done with, and the server is told. */
  forget({ message: { seq } }: Delivery): void {
    this.#open.delete(seq);
    this.#acknowledged.add(seq);
    if (this.#acknowledged.size > REMEMBERED) {
      for (const oldest of this.#acknowledged) {
        this.#acknowledged.delete(oldest);
        break;
      }
    }
    if (this.#open.size === 0) this.#rest();
  }

  /** Others shall have what is not acknowledged, at once. */
  giveBack(): void {
    for (const { message } of this.#open.values()) message.nak();
    this.#open.clear();
    this.#rest();
  }

  #tell(): void {
    for (const { message } of this.#open.values()) message.working();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
