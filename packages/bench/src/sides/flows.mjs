// @ts-check
// What programs do alike with whatever carries messages or a stream.
import { once } from 'node:events';

import { fill, memoryOf, sumOf, sumOfStream, tripsAwaited, tripsSync } from './side.mjs';

/** Messages that are sent before one is awaited. */
const WINDOW = 1000;

/**
 * @param {number} size
 * @param {(message: Buffer) => void} put - does not return before the message is taken
 */
export function sendEach(size, put) {
  const message = memoryOf(size);
  return (/** @type {number} */ count) => {
    for (let n = 0; n < count; n++) {
      fill(message, n);
      put(message);
    }
  };
}

/**
 * @param {number} size
 * @param {(message: Buffer) => unknown} put - is awaited for each message
 */
export function sendAwaited(size, put) {
  const message = memoryOf(size);
  return async (/** @type {number} */ count) => {
    for (let n = 0; n < count; n++) {
      fill(message, n);
      await put(message);
    }
  };
}

/**
 * Sends many before it awaits the last of them.
 *
 * @param {number} size
 * @param {{ send(message: Uint8Array): Promise<void> }} sender
 */
export function sendWindows(size, sender) {
  const message = memoryOf(size);
  return async (/** @type {number} */ count) => {
    for (let n = 0; n < count;) {
      let sent;
      for (const stop = Math.min(count, n + WINDOW); n < stop; n++) {
        fill(message, n);
        sent = sender.send(message);
      }
      await sent;
    }
  };
}

/**
 * Hands over so many messages in one call.
 *
 * @param {number} size
 * @param {{ sendMany(messages: Uint8Array[]): Promise<void> }} sender
 */
export function sendBatches(size, sender) {
  const length = Math.max(1, Math.min(WINDOW, Math.floor((1 << 24) / size)));
  const window = Array.from({ length }, () => Buffer.alloc(size));
  return async (/** @type {number} */ count) => {
    for (let n = 0; n < count; n += length) {
      const batch = count - n < length ? window.slice(0, count - n) : window;
      for (let i = 0; i < batch.length; i++) fill(/** @type {Buffer} */ (batch[i]), n + i);
      await sender.sendMany(batch);
    }
  };
}

/** @param {() => Uint8Array} take - a message */
export const receiveEach = (take) => (/** @type {number} */ count) => {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += sumOf(take(), 0);
  return sum;
};

/**
 * @template M
 * @param {AsyncIterable<M>} messages
 * @param {(message: M) => Uint8Array} bytesOf
 */
export const receiveIterated = (messages, bytesOf) => async (/** @type {number} */ count) => {
  let sum = 0;
  let left = count;
  for await (const each of messages) {
    sum += sumOf(bytesOf(each), 0);
    left -= 1;
    if (left === 0) break;
  }
  return sum;
};

/** @param {Uint8Array} message */
export const itself = (message) => message;

/** @param {{ data: Uint8Array }} message */
export const dataOf = ({ data }) => data;

/** @param {{ receiveMany(): Promise<Uint8Array[]> }} receiver */
export const receiveBatches = (receiver) => async (/** @type {number} */ count) => {
  let sum = 0;
  for (let left = count; left > 0;) {
    const messages = await receiver.receiveMany();
    for (let i = 0; i < messages.length; i++) {
      sum += sumOf(/** @type {Uint8Array} */ (messages[i]), 0);
    }
    left -= messages.length;
  }
  return sum;
};

/**
 * Takes a stream by whatever is there.
 *
 * @param {number} size - of a message
 * @param {() => Uint8Array | null} read
 */
export const readEach = (size, read) => (/** @type {number} */ count) => {
  let sum = 0;
  const expected = count * size;
  for (let at = 0; at < expected;) {
    const chunk = read();
    if (chunk === null) throw new Error('the stream ended');
    sum += sumOfStream(chunk, at, size);
    at += chunk.length;
  }
  return sum;
};

/**
 * @param {number} size - of a message
 * @param {AsyncIterable<Uint8Array>} chunks
 */
export const readIterated = (size, chunks) => async (/** @type {number} */ count) => {
  let at = 0;
  let sum = 0;
  for await (const chunk of chunks) {
    sum += sumOfStream(chunk, at, size);
    at += chunk.length;
    if (at === count * size) break;
  }
  return sum;
};

/**
 * Node's streams keep what they were given until it is written, so each message has a buffer of its own.
 *
 * @param {number} size
 * @param {import('node:stream').Writable} writable
 */
export const writeStream = (size, writable) => async (/** @type {number} */ count) => {
  for (let n = 0; n < count; n++) {
    const chunk = Buffer.allocUnsafe(size);
    fill(chunk, n);
    if (!writable.write(chunk)) await once(writable, 'drain');
  }
};

/**
 * @param {number} size - of a message
 * @param {import('node:stream').Readable} readable
 */
export function readStream(size, readable) {
  /** @type {(chunk: Buffer) => void} */
  let take = () => {};
  readable.on('data', (chunk) => take(chunk));
  return (/** @type {number} */ count) =>
    new Promise((resolve) => {
      let at = 0;
      let sum = 0;
      take = (chunk) => {
        sum += sumOfStream(chunk, at, size);
        at += chunk.length;
        if (at === count * size) resolve(sum);
      };
    });
}

/**
 * Takes a message of a stream whole, in as many parts as it comes in.
 *
 * @param {number} size
 * @param {(target: { into: Buffer }) => Uint8Array | null} read
 */
export function takeWholeSync(size, read) {
  const message = memoryOf(size);
  const target = { into: message };
  return () => {
    let at = partOf(read(target));
    while (at < size) at += partOf(read({ into: message.subarray(at) }));
    return message;
  };
}

/**
 * Takes a message of a stream whole: by one read where it comes at once, and otherwise in parts.
 *
 * @param {number} size
 * @param {(target?: { into: Buffer }) => Promise<Uint8Array | null>} read
 * @returns {() => Promise<Uint8Array | null>}
 */
export function takeWhole(size, read) {
  if (size <= AT_ONCE) return () => read();
  const message = memoryOf(size);
  const target = { into: message };
  return async () => {
    let at = partOf(await read(target));
    while (at < size) at += partOf(await read({ into: message.subarray(at) }));
    return message;
  };
}

/** Bytes of a message that no stream gives in parts: those that a pipe takes as one. */
const AT_ONCE = 4096;

/** @param {Uint8Array | null} part */
function partOf(part) {
  if (part === null) throw new Error('the stream ended');
  return part.length;
}

/** @param {Uint8Array | null} message */
export const sumOfMessage = (message) => sumOf(/** @type {Uint8Array} */ (message), 0);

/**
 * Round trips of functions that block. Who answers adds up what comes, and writes its answers by the same rule.
 *
 * @param {number} size
 * @param {(message: Buffer) => void} put
 * @param {() => Uint8Array | null} take
 */
export function dialogueSync(size, put, take) {
  const message = memoryOf(size);
  return {
    trip: tripsSync((n) => {
      fill(message, n);
      put(message);
      return sumOfMessage(take());
    }),
    echo: (/** @type {number} */ count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) {
        sum += sumOfMessage(take());
        fill(message, n);
        put(message);
      }
      return sum;
    },
  };
}

/**
 * Round trips that are awaited.
 *
 * @param {number} size
 * @param {(message: Buffer) => unknown} put
 * @param {() => Promise<Uint8Array | null>} take
 */
export function dialogue(size, put, take) {
  const message = memoryOf(size);
  return {
    trip: tripsAwaited(
      (n) => {
        fill(message, n);
        return put(message);
      },
      take,
      sumOfMessage,
    ),
    echo: async (/** @type {number} */ count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) {
        sum += sumOfMessage(await take());
        fill(message, n);
        await put(message);
      }
      return sum;
    },
  };
}

/**
 * Answers messages of which a listener is told.
 *
 * @param {Uint8Array} answer - is sent, over and over
 * @param {() => unknown} send
 */
export function answers(answer, send) {
  let [count, n, sum] = [0, 0, 0];
  /** @type {(sum: number) => void} */
  let done = () => {};
  return {
    told(/** @type {Uint8Array} */ message) {
      sum += sumOf(message, 0);
      fill(answer, n);
      n += 1;
      void send();
      if (n === count) done(sum);
    },
    /** @param {number} most @returns {Promise<number>} */
    echo(most) {
      [count, n, sum] = [most, 0, 0];
      return new Promise((resolve) => (done = resolve));
    },
  };
}
