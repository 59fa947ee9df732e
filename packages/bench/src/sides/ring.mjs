// @ts-check
// ring.mjs EXERCISE SIZE CAPACITY: what the ring suite measures, by @octoipc/shm.
import { ShmRing, ShmValue } from '@octoipc/shm';

import { dialogue, dialogueSync, receiveEach, sendEach } from './flows.mjs';
import { spawnPeer } from './peer.mjs';
import {
  driveFlow,
  driveTrips,
  fill,
  memoryOf,
  now,
  receiveFlow,
  receiveTrips,
  serve,
  sumOf,
  tripsSync,
} from './side.mjs';

const [exercise = '', sizeText, capacityText, role] = process.argv.slice(2);
const size = Number(sizeText);
const capacity = Number(capacityText);
const message = memoryOf(size);

/** The rings of the peer, who is told by its environment. */
const RINGS = 'OCTOIPC_BENCH_RINGS';

/** Messages that are published at once. */
const BATCH = 64;

/** Microseconds: for as long as the other side takes at most, where both have a core. */
const SPIN = 10_000;

/**
 * A ring that is collected is closed.
 *
 * @type {object[]}
 */
const kept = [];

function create(/** @type {string} */ suffix) {
  const name = `/octoipc-bench-${process.pid}-${suffix}`;
  const ring = ShmRing.create(name, { capacity, maxMessageSize: size, temporary: true });
  kept.push(ring);
  return { name, ring };
}

/** @typedef {import('@octoipc/shm').RingProducer} Producer */
/** @typedef {import('@octoipc/shm').RingConsumer} Consumer */

const sendMany = (/** @type {Producer} */ producer) => {
  const batch = Array.from({ length: BATCH }, () => memoryOf(size));
  return async (/** @type {number} */ count) => {
    for (let n = 0; n < count;) {
      const length = Math.min(BATCH, count - n);
      for (let i = 0; i < length; i++) fill(/** @type {Buffer} */ (batch[i]), n + i);
      await producer.sendMany(length === BATCH ? batch : batch.slice(0, length));
      n += length;
    }
  };
};

const claims = (/** @type {Producer} */ producer) => (/** @type {number} */ count) => {
  for (let n = 0; n < count; n++) {
    let claim = producer.claim(size);
    for (; claim === null; claim = producer.claim(size)) producer.writableSync(size);
    fill(claim.bytes, n);
    claim.commit();
  }
};

/** @type {Record<string, { send(producer: Producer): (count: number) => unknown, receive(consumer: Consumer): (count: number) => unknown }>} */
const flows = {
  consume: { send: sendMany, receive: consumed },
  many: {
    send: sendMany,
    receive: (consumer) => async (count) => {
      let sum = 0;
      for (let left = count; left > 0;) {
        const messages = await consumer.receiveMany();
        for (const bytes of messages) sum += sumOf(bytes, 0);
        left -= messages.length;
      }
      return sum;
    },
  },
  awaited: {
    send: sendMany,
    receive: (consumer) => async (count) => {
      let sum = 0;
      for (let left = count; left > 0; left--) sum += sumOf(await consumer.receive(), 0);
      return sum;
    },
  },
  'zero-copy': { send: claims, receive: consumed },
  sync: {
    send: (producer) => sendEach(size, (each) => producer.sendSync(each)),
    receive: (consumer) => receiveEach(() => consumer.receiveSync()),
  },
  // Both spin, while there is no room or nothing there.
  try: {
    send: (producer) =>
      sendEach(size, (each) => {
        while (!producer.trySend(each));
      }),
    receive: (consumer) =>
      receiveEach(() => {
        for (;;) {
          const got = consumer.tryReceive();
          if (got) return got;
        }
      }),
  },
};

/** Where nothing is there, the first message is waited for. */
function consumed(/** @type {Consumer} */ consumer) {
  return (/** @type {number} */ count) => {
    let sum = 0;
    const add = (/** @type {Uint8Array} */ view) => {
      sum += sumOf(view, 0);
    };
    for (let left = count; left > 0;) {
      const got = consumer.consume(add, { max: left });
      left -= got;
      if (got === 0) consumer.readableSync();
    }
    return sum;
  };
}

/** @type {Record<string, { spin: number, dialogue(to: Producer, from: Consumer): ReturnType<typeof dialogue | typeof dialogueSync> }>} */
const trips = {
  'trips-sync': {
    spin: SPIN,
    dialogue: (to, from) =>
      dialogueSync(
        size,
        (each) => to.sendSync(each),
        () => from.receiveSync(),
      ),
  },
  'trips-try': {
    spin: 0,
    dialogue: (to, from) =>
      dialogueSync(
        size,
        (each) => {
          while (!to.trySend(each));
        },
        () => {
          for (;;) {
            const got = from.tryReceive();
            if (got) return got;
          }
        },
      ),
  },
  'trips-zero-copy': { spin: 0, dialogue: inPlace },
  'trips-spin': { spin: SPIN, dialogue: awaited },
  'trips-awaited': { spin: 0, dialogue: awaited },
};

/** Spins, and copies nothing. @param {Producer} to @param {Consumer} from */
function inPlace(to, from) {
  const one = { max: 1 };
  let sum = 0;
  const add = (/** @type {Uint8Array} */ view) => {
    sum = sumOf(view, 0);
  };
  const put = (/** @type {number} */ n) => {
    let claim = to.claim(size);
    while (claim === null) claim = to.claim(size);
    fill(claim.bytes, n);
    claim.commit();
  };
  const take = () => {
    while (from.consume(add, one) === 0);
    return sum;
  };
  return {
    trip: tripsSync((n) => {
      put(n);
      return take();
    }),
    echo: (/** @type {number} */ count) => {
      let total = 0;
      for (let n = 0; n < count; n++) {
        total += take();
        put(n);
      }
      return total;
    },
  };
}

function awaited(/** @type {Producer} */ to, /** @type {Consumer} */ from) {
  return dialogue(
    size,
    (each) => to.send(each),
    () => from.receive(),
  );
}

/** A value in one process. */
function values(/** @type {'get' | 'set'} */ what) {
  const name = `/octoipc-bench-${process.pid}-value`;
  const value = ShmValue.create(name, { maxSize: size, temporary: true });
  kept.push(value);
  value.set(message);
  return (/** @type {number} */ count) => {
    let sum = 0;
    const start = now();
    for (let n = 0; n < count; n++) {
      if (what === 'get') {
        sum += /** @type {Buffer} */ (value.get())[0] ?? 0;
        continue;
      }
      fill(message, n);
      value.set(message);
    }
    return { ns: now() - start + (sum === 1 ? 1 : 0) };
  };
}

/** A ring that is there. */
function openAndClose() {
  const { name } = create('open');
  return (/** @type {number} */ count) => {
    const start = now();
    for (let n = 0; n < count; n++) ShmRing.attach(name).close();
    return { ns: now() - start, sum: 0 };
  };
}

async function drive() {
  if (exercise === 'open') return serve(openAndClose());
  if (exercise === 'get' || exercise === 'set') return serve(values(exercise));
  const forth = create('forth');
  const back = create('back');
  process.env[RINGS] = `${forth.name} ${back.name}`;
  const { child } = spawnPeer(import.meta.filename, {});
  const to = forth.ring.producer();
  const flow = flows[exercise];
  if (flow !== undefined) return driveFlow(child, flow.send(to));
  const trip = trips[exercise];
  if (trip === undefined) throw new Error(`no exercise ${exercise}`);
  const from = back.ring.consumer();
  from.spin = trip.spin;
  return driveTrips(child, trip.dialogue(to, from).trip);
}

function answer() {
  const [forth = '', back = ''] = (process.env[RINGS] ?? '').split(' ');
  const rings = [ShmRing.attach(forth), ShmRing.attach(back)];
  kept.push(...rings);
  const from = /** @type {ShmRing} */ (rings[0]).consumer();
  const flow = flows[exercise];
  if (flow !== undefined) return receiveFlow(flow.receive(from));
  const trip = /** @type {NonNullable<typeof trips[string]>} */ (trips[exercise]);
  from.spin = trip.spin;
  receiveTrips(trip.dialogue(/** @type {ShmRing} */ (rings[1]).producer(), from).echo);
}

if (role === 'peer') answer();
else await drive();
