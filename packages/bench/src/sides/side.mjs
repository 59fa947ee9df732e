// @ts-check
// What the Node programs share: a driver, which the runner starts and talks to in lines, starts a peer
// of itself and tells it each count; both then do the exercise, and the peer says when it had everything.
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** One byte of every cache line is written by the sender and added up by the receiver. */
const LINE = 64;

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
 * The bytes of a part of a message that begins at `position` of it.
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

/** @returns {number} nanoseconds of the clock that all processes of the machine share */
export function now() {
  return Number(process.hrtime.bigint());
}

/**
 * @param {(count: number) => object | Promise<object>} sample - one sample of so many operations
 */
export async function serve(sample) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await sample(Number(line)))}\n`);
  }
  process.exit();
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
    const start = now();
    await send(count);
    const [{ end, sum }] = await once(peer, 'message');
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
 * Drives an exercise of round trips.
 *
 * @param {import('node:child_process').ChildProcess} peer
 * @param {(times: Float64Array) => unknown} trip - as many round trips as there is room for their times
 */
export async function driveTrips(peer, trip) {
  await serve(async (count) => {
    peer.send({ count });
    await once(peer, 'message');
    const times = new Float64Array(count);
    await trip(times);
    const ns = times.reduce((sum, time) => sum + time, 0);
    times.sort();
    const quantile = (/** @type {number} */ q) => times[Math.floor(count * q)];
    return { ns, p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) };
  });
}

/**
 * @param {(count: number) => unknown} echo - answers so many messages
 */
export function receiveTrips(echo) {
  process.on('message', (/** @type {{ count?: number }} */ { count }) => {
    if (count === undefined) return;
    process.send?.('ready');
    void echo(count);
  });
  process.on('disconnect', () => process.exit());
}
