// @ts-check
// mq.mjs KIND EXERCISE SIZE: what the mq suite measures, by @octoipc/mq. KIND is posix or sysv.
import { PosixQueue, SysvQueue } from '@octoipc/mq';

import { spawnPeer } from './peer.mjs';
import {
  dataOf,
  dialogue,
  dialogueSync,
  receiveEach,
  receiveIterated,
  sendAwaited,
  sendEach,
} from './flows.mjs';
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
} from './side.mjs';

const [kind = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const message = memoryOf(size);
/** As in C, what is received one by one comes to the same memory. */
const target = { into: memoryOf(size) };

/** The queues of the peer, who is told by its environment. */
const QUEUES = 'OCTOIPC_BENCH_QUEUES';

/** @typedef {PosixQueue | SysvQueue} Queue */

/** @returns {Queue} */
function create(/** @type {string} */ suffix) {
  if (kind !== 'posix') return SysvQueue.open('private', { temporary: true });
  const name = `/octoipc-bench-${process.pid}-${suffix}`;
  return PosixQueue.open(name, { temporary: true, maxMessages: 10, maxMessageSize: size });
}

/** @param {Queue} queue */
const nameOf = (queue) => (queue instanceof PosixQueue ? queue.name : String(queue.id));

/** @param {string} name @returns {Queue} */
const openAgain = (name) =>
  kind === 'posix' ? PosixQueue.open(name) : SysvQueue.fromId(Number(name));

/** A sender that blocks keeps the queue full. */
const sendSync = (/** @type {Queue} */ queue) => sendEach(size, (each) => queue.sendSync(each));

/** @type {Record<string, { send(queue: Queue): (count: number) => unknown, receive(queue: Queue): (count: number) => unknown }>} */
const flows = {
  sync: {
    send: sendSync,
    receive: (queue) => receiveEach(() => queue.receiveSync(target).data),
  },
  fresh: {
    send: sendSync,
    receive: (queue) => receiveEach(() => queue.receiveSync().data),
  },
  // Both spin, while there is no room or nothing there.
  try: {
    send: (queue) =>
      sendEach(size, (each) => {
        while (!queue.trySend(each));
      }),
    receive: (queue) =>
      receiveEach(() => {
        for (;;) {
          const got = queue.tryReceive();
          if (got) return got.data;
        }
      }),
  },
  many: {
    send: sendSync,
    receive: (queue) => async (count) => {
      let sum = 0;
      for (let left = count; left > 0;) {
        const messages = await queue.receiveMany();
        for (const { data } of messages) sum += sumOf(data, 0);
        left -= messages.length;
      }
      return sum;
    },
  },
  iterate: { send: sendSync, receive: (queue) => receiveIterated(queue, dataOf) },
  awaited: {
    send: (queue) => sendAwaited(size, (each) => queue.send(each)),
    receive: (queue) => receiveIterated(queue, dataOf),
  },
};

/** @type {Record<string, (to: Queue, from: Queue) => ReturnType<typeof dialogue | typeof dialogueSync>>} */
const trips = {
  'roundtrip-sync': (to, from) =>
    dialogueSync(
      size,
      (each) => to.sendSync(each),
      () => from.receiveSync(target).data,
    ),
  'roundtrip-try': (to, from) =>
    dialogueSync(
      size,
      (each) => {
        while (!to.trySend(each));
      },
      () => {
        for (;;) {
          const got = from.tryReceive(target);
          if (got) return got.data;
        }
      },
    ),
  'roundtrip-awaited': (to, from) =>
    dialogue(
      size,
      (each) => to.send(each),
      async () => (await from.receive()).data,
    ),
};

/** A send and a receive that do not wait, in one process. */
function pairs(/** @type {Queue} */ queue) {
  return (/** @type {number} */ count) => {
    let sum = 0;
    const start = now();
    for (let n = 0; n < count; n++) {
      fill(message, n);
      queue.trySend(message);
      sum += sumOf(/** @type {{ data: Buffer }} */ (queue.tryReceive(target)).data, 0);
    }
    return { ns: now() - start, sum };
  };
}

/** Of a queue that is there. */
function openAndClose() {
  const key = 0x0c600000 | (process.pid & 0xfffff);
  const options = { create: true, exclusive: true, temporary: true };
  const name = `/octoipc-bench-${process.pid}`;
  kept.push(kind === 'posix' ? PosixQueue.open(name, options) : SysvQueue.open(key, options));
  const once =
    kind === 'posix' ? () => PosixQueue.open(name).close() : () => SysvQueue.open(key).close();
  return (/** @type {number} */ count) => {
    const start = now();
    for (let n = 0; n < count; n++) once();
    return { ns: now() - start, sum: 0 };
  };
}

/**
 * A queue that is collected is closed.
 *
 * @type {Queue[]}
 */
const kept = [];

async function drive() {
  if (exercise === 'open') return serve(openAndClose());
  const forth = create('forth');
  kept.push(forth);
  if (exercise === 'pair') return serve(pairs(forth));
  const back = create('back');
  kept.push(back);
  process.env[QUEUES] = `${nameOf(forth)} ${nameOf(back)}`;
  const { child } = spawnPeer(import.meta.filename, {});
  const flow = flows[exercise];
  if (flow !== undefined) return driveFlow(child, flow.send(forth));
  const trip = trips[exercise];
  if (trip !== undefined) return driveTrips(child, trip(forth, back).trip);
  throw new Error(`no exercise ${exercise}`);
}

function answer() {
  const [forth = '', back = ''] = (process.env[QUEUES] ?? '').split(' ');
  const [from, to] = [openAgain(forth), openAgain(back)];
  kept.push(from, to);
  const flow = flows[exercise];
  if (flow !== undefined) receiveFlow(flow.receive(from));
  else receiveTrips(/** @type {any} */ (trips[exercise])(to, from).echo);
}

if (role === 'peer') answer();
else await drive();
