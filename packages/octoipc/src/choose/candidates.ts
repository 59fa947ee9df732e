import { randomInt } from 'node:crypto';

import type { ReceiverOptions } from '../channels/options.js';
import { mq } from '../index.js';

/** The mechanisms that can be measured, the simplest to use and to look after first. */
export const MECHANISMS = [
  'pipe',
  'unix',
  'fifo',
  'unix+seqpacket',
  'shm',
  'mq',
  'sysv-mq',
  'tcp',
] as const;

/** A mechanism that carries messages between two processes of this machine. */
export type Mechanism = (typeof MECHANISMS)[number];

/** A place where two processes meet. */
export interface Place {
  readonly url: string;
  readonly options: ReceiverOptions;
}

/** Bytes of a ring at least, and room for so many messages. */
const LEAST_RING = 256 * 1024;
const MESSAGES = 8;

/**
 * A place of its own for a channel of a mechanism.
 *
 * @param mechanism - which
 * @param folder - where its files may be
 * @param end - which of two channels
 * @param size - bytes of a message
 * @returns where the receiver is to be opened
 */
export function placeFor(
  mechanism: Exclude<Mechanism, 'pipe'>,
  folder: string,
  end: 'there' | 'back',
  size: number,
): Place {
  const name = `/octoipc-choose-${process.pid}-${end}`;
  const made = { create: true, temporary: true } as const;
  switch (mechanism) {
    case 'fifo':
      return { url: `fifo:${folder}/${end}`, options: { create: true } };
    case 'unix':
    case 'unix+seqpacket':
      return { url: `${mechanism}:${folder}/${end}`, options: {} };
    case 'tcp':
      return { url: 'tcp://127.0.0.1:0', options: {} };
    case 'mq':
      return { url: `mq:${name}`, options: { ...made, maxMessageSize: size } };
    case 'sysv-mq':
      return { url: `sysv-mq:0x${randomInt(1, 0xffff_ffff).toString(16)}`, options: made };
    case 'shm':
      return {
        url: `shm:${name}`,
        options: { ...made, capacity: Math.max(LEAST_RING, MESSAGES * (size + 8)) },
      };
  }
}

/** The longest message of queues, by the limits of this machine. */
export function longestInQueues(): number {
  return mq.PosixQueue.limits().maxMessageSize ?? 8192;
}
