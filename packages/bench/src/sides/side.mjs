// @ts-check
// What the Node programs share: a driver, which the runner starts and talks to in lines, starts a peer
// of itself and tells it each count; both then do the exercise, and the peer says when it had everything.
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * The payload's rule: of message n the sender sets the bytes 0, 64, 128, … to n modulo 256, and the receiver
 * adds up the bytes at these places of each message. Who answers messages does both.
 */
const LINE = 64;

/** Nanoseconds between the intended beginnings of round trips; 0: each begins when the last is over. */
let interval = 0;

/** Before a trip is due its sender sleeps, but for the last while. */
const AWAKE = 100_000;

const nothing = new Int32Array(new SharedArrayBuffer(4));

/**
 * Memory that begins 64 bytes further than malloc(3)'s, as in the C programs.
 *
 * @param {number} size
 */
export function memoryOf(size) {
  return Buffer.alloc(LINE + size).subarray(LINE);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} number
 */
export function fill(bytes, number) {
  for (let at = 0; at < bytes.length; at += LINE) bytes[at] = number;
}

/**
 * Adds up a message, or the part of one that begins at `position` of it.
 *
 * @param {Uint8Array} bytes
 * @param {number} position
 */
export function sumOf(bytes, position) {
  let sum = 0;
  const { length } = bytes;
  for (let at = -position & (LINE - 1); at < length; at += LINE) {
    sum += /** @type {number} */ (bytes[at]);
  }
  return sum;
}

/**
 * Adds up the part of a stream of messages that begins at `position` of the stream.
 *
 * @param {Uint8Array} bytes
 * @param {number} position
 * @param {number} size - of a message
 */
export function sumOfStream(bytes, position, size) {
  if (size % LINE === 0) return sumOf(bytes, position);
  const { length } = bytes;
  let sum = 0;
  let inside = position % size;
  for (let begin = 0; begin < length;) {
    const end = Math.min(length, begin + size - inside);
    for (let at = begin + (-inside & (LINE - 1)); at < end; at += LINE) {
      sum += /** @type {number} */ (bytes[at]);
    }
    begin = end;
    inside = 0;
  }
  return sum;
}

/** @returns {number} nanoseconds of the clock that all processes of the machine share */
export function now() {
  return Number(process.hrtime.bigint());
}

/**
 * @param {(count: number) => object | Promise<object>} sample - one sample of so many operations
 */
export async function serve(sample) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [count, schedule = 0] = line.split(' ').map(Number);
    interval = schedule;
    process.stdout.write(`${JSON.stringify(await sample(Number(count)))}\n`);
  }
  process.exit();
}

/** Waits for when a round trip is to begin, unless that is over. Nothing else is to do meanwhile. */
function awaitTrip(/** @type {number} */ due) {
  if (interval === 0) return;
  const ahead = due - AWAKE - now();
  if (ahead > 0) Atomics.wait(nothing, 0, 0, ahead / 1e6);
  while (now() < due);
}

/**
 * When the round trip after the one that was due and has just ended begins. By a schedule its time is counted
 * from when it was due, so that who was late is told of all who waited.
 *
 * @param {Float64Array} times
 * @param {number} n
 * @param {number} due
 */
function endTrip(times, n, due) {
  const after = now();
  times[n] = after - due;
  return interval > 0 ? due + interval : after;
}

/**
 * Round trips of which each is over when the function returns; the sum of what it gives.
 *
 * @param {(n: number) => number | void} step
 */
export const tripsSync = (step) => (/** @type {Float64Array} */ times) => {
  let due = now() + interval;
  let sum = 0;
  for (let n = 0; n < times.length; n++) {
    awaitTrip(due);
    sum += step(n) ?? 0;
    due = endTrip(times, n, due);
  }
  return sum;
};

/**
 * Round trips that are awaited; where each half is, without a further promise for the whole. The sum of what
 * came back.
 *
 * @param {(n: number) => unknown} there
 * @param {(n: number) => unknown} [back]
 * @param {(answer: any) => number} [add] - the bytes of an answer
 */
export const tripsAwaited = (there, back, add) => async (/** @type {Float64Array} */ times) => {
  let due = now() + interval;
  let sum = 0;
  for (let n = 0; n < times.length; n++) {
    awaitTrip(due);
    let answer = await there(n);
    if (back !== undefined) answer = await back(n);
    if (add !== undefined) sum += add(answer);
    due = endTrip(times, n, due);
  }
  return sum;
};

/**
 * What the runner is told of round trips of messages, whose bytes added up to the same here and at who answered
 * them; sorts the times.
 *
 * @param {Float64Array} times
 * @param {number} sum
 * @param {number | null} answered - null where there are no messages
 */
export function outcomeOf(times, sum, answered) {
  if (answered !== null && answered !== sum)
    throw new Error(`the bytes add up to ${sum} here, to ${answered} there`);
  const ns = times.reduce((total, time) => total + time, 0);
  times.sort();
  const quantile = (/** @type {number} */ q) => times[Math.floor(times.length * q)];
  const quantiles = { p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) };
  const outcome = { ns, ...quantiles, ...(answered === null ? {} : { sum }) };
  return interval > 0 ? { ...outcome, times: Array.from(times) } : outcome;
}

/**
 * Drives an exercise in which messages flow one way.
 *
 * @param {import('node:child_process').ChildProcess} peer
 * @param {(count: number) => unknown} send - sends so many messages
 */
export async function driveFlow(peer, send) {
  await serve(async (count) => {
    peer.send({ count });
    await once(peer, 'message');
    // Where sending is awaited, the other may have had all before this is told of it.
    const received = once(peer, 'message');
    const start = now();
    await send(count);
    const [{ end, sum }] = await received;
    return { ns: end - start, sum };
  });
}

/**
 * @param {(count: number) => unknown} receive - receives so many messages; the sum of their bytes
 */
export function receiveFlow(receive) {
  const answer = async (/** @type {number} */ count) => {
    process.send?.('ready');
    const sum = await receive(count);
    process.send?.({ end: now(), sum });
  };
  process.on('message', (/** @type {{ count?: number }} */ { count }) => {
    if (count !== undefined) void answer(count);
  });
  process.on('disconnect', () => process.exit());
}

/**
 * What the peer tells when it has answered all: the sum of what came to it, null where that were no messages.
 *
 * @param {import('node:child_process').ChildProcess} peer
 * @returns {Promise<number | null>}
 */
function answeredBy(peer) {
  return new Promise((resolve) => {
    const told = (/** @type {any} */ message) => {
      // Messages of the exercise may come the same way.
      if (message?.answered === undefined) return;
      peer.off('message', told);
      resolve(message.answered);
    };
    peer.on('message', told);
  });
}

/**
 * Drives an exercise of round trips.
 *
 * @param {import('node:child_process').ChildProcess} peer
 * @param {(times: Float64Array) => number | Promise<number>} trip - as many round trips as there is room for their
 *   times; the sum of what came back
 */
export async function driveTrips(peer, trip) {
  await serve(async (count) => {
    peer.send({ count });
    await once(peer, 'message');
    const answered = answeredBy(peer);
    const times = new Float64Array(count);
    const sum = await trip(times);
    return outcomeOf(times, sum, await answered);
  });
}

/**
 * @param {(count: number) => number | void | Promise<number | void>} echo - answers so many messages; the sum of
 *   their bytes
 */
export function receiveTrips(echo) {
  const answer = async (/** @type {number} */ count) => {
    process.send?.('ready');
    const answered = (await echo(count)) ?? null;
    process.send?.({ answered });
  };
  process.on('message', (/** @type {{ count?: number }} */ { count }) => {
    if (count !== undefined) void answer(count);
  });
  process.on('disconnect', () => process.exit());
}
