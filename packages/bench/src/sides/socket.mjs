// @ts-check
// socket.mjs KIND EXERCISE SIZE: what the socket suite measures, by @octoipc/socket. KIND is stream,
// seqpacket, datagram (all Unix) or tcp.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import {
  connect,
  Connection,
  Datagram,
  listen,
  socketPair,
  socketReceiver,
  socketSender,
} from '@octoipc/socket';
import { AF_UNIX, close, SOCK_DGRAM, socketpair } from '@octoipc/socket/posix';

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

/** Where the peer connects to over TCP. */
const PORT = 'OCTOIPC_BENCH_PORT';

/** Messages that are sent before one is awaited. */
const WINDOW = 1000;

/** @typedef {any} End - a Connection or a Datagram */

/** @param {End} end */
const sendSync = (end) => (/** @type {number} */ count) => {
  for (let n = 0; n < count; n++) {
    fill(message, n);
    if (kind === 'stream' || kind === 'tcp') end.writeSync(message);
    else end.sendSync(message);
  }
};

/** @param {End} end */
const receiveSync = (end) => (/** @type {number} */ count) => {
  let sum = 0;
  if (kind === 'stream' || kind === 'tcp') {
    const target = { into: message };
    for (let at = 0; at < count * size;) {
      const chunk = end.readSync(target);
      sum += sumOf(chunk, at);
      at += chunk.length;
    }
    return sum;
  }
  for (let n = 0; n < count; n++) {
    const got = end.receiveSync();
    sum += sumOf(kind === 'datagram' ? got.data : got, 0);
  }
  return sum;
};

/** @type {Record<string, { send(end: End): (count: number) => unknown, receive(end: End): (count: number) => unknown }>} */
const flows = {
  sync: { send: sendSync, receive: receiveSync },
  awaited: {
    send: (end) => async (count) => {
      for (let n = 0; n < count; n++) {
        fill(message, n);
        await end.send(message);
      }
    },
    receive: (end) => async (count) => {
      let sum = 0;
      let left = count;
      for await (const got of end) {
        sum += sumOf(kind === 'datagram' ? got.data : got, 0);
        left -= 1;
        if (left === 0) break;
      }
      return sum;
    },
  },
  frames: {
    send: (end) => {
      const sender = socketSender(end);
      return async (count) => {
        for (let n = 0; n < count;) {
          let sent;
          for (const stop = Math.min(count, n + WINDOW); n < stop; n++) {
            fill(message, n);
            sent = sender.send(message);
          }
          await sent;
        }
      };
    },
    receive: (end) => {
      const receiver = socketReceiver(end);
      return async (count) => {
        let sum = 0;
        let left = count;
        for await (const each of receiver) {
          sum += sumOf(each, 0);
          left -= 1;
          if (left === 0) break;
        }
        return sum;
      };
    },
  },
  duplex: {
    send: (end) => {
      const duplex = end.toDuplex();
      return async (count) => {
        for (let n = 0; n < count; n++) {
          // A stream keeps what it was given until it is written.
          const chunk = Buffer.allocUnsafe(size);
          fill(chunk, n);
          if (!duplex.write(chunk)) await once(duplex, 'drain');
        }
      };
    },
    receive: (end) => {
      const duplex = end.toDuplex();
      /** @type {(chunk: Buffer) => void} */
      let take = () => {};
      duplex.on('data', (/** @type {Buffer} */ chunk) => take(chunk));
      return (count) =>
        new Promise((resolve) => {
          let at = 0;
          let sum = 0;
          take = (chunk) => {
            sum += sumOf(chunk, at);
            at += chunk.length;
            if (at === count * size) resolve(sum);
          };
        });
    },
  },
};

const isStream = kind === 'stream' || kind === 'tcp';
/** @param {End} end */
const putSync = (end) =>
  isStream
    ? (/** @type {Uint8Array} */ data) => end.writeSync(data)
    : (/** @type {Uint8Array} */ data) => end.sendSync(data);
/** @param {End} end */
const takeSync = (end) => {
  const target = { into: Buffer.alloc(size) };
  if (isStream) return () => end.readSync(target);
  return kind === 'datagram' ? () => end.receiveSync().data : () => end.receiveSync();
};
/** @param {End} end */
const put = (end) =>
  isStream
    ? (/** @type {Uint8Array} */ data) => end.write(data)
    : (/** @type {Uint8Array} */ data) => end.send(data);
/** @param {End} end */
const take = (end) => {
  if (isStream) return () => end.read();
  return kind === 'datagram' ? async () => (await end.receive()).data : () => end.receive();
};

/** @type {Record<string, { trip(end: End): (times: Float64Array) => unknown, echo(end: End): (count: number) => unknown }>} */
const trips = {
  'roundtrip-sync': {
    trip: (end) => {
      const [send, receive] = [putSync(end), takeSync(end)];
      return (times) => {
        let before = now();
        for (let n = 0; n < times.length; n++) {
          fill(message, n);
          send(message);
          receive();
          const after = now();
          times[n] = after - before;
          before = after;
        }
      };
    },
    echo: (end) => {
      const [send, receive] = [putSync(end), takeSync(end)];
      return (count) => {
        for (let n = 0; n < count; n++) send(receive());
      };
    },
  },
  'roundtrip-awaited': {
    trip: (end) => {
      const [send, receive] = [put(end), take(end)];
      return async (times) => {
        let before = now();
        for (let n = 0; n < times.length; n++) {
          fill(message, n);
          await send(message);
          await receive();
          const after = now();
          times[n] = after - before;
          before = after;
        }
      };
    },
    echo: (end) => {
      const [send, receive] = [put(end), take(end)];
      return async (count) => {
        for (let n = 0; n < count; n++) await send(await receive());
      };
    },
  },
};

function openAndClose(/** @type {number} */ count) {
  const type = kind === 'seqpacket' ? 'seqpacket' : 'stream';
  const start = now();
  for (let n = 0; n < count; n++) for (const end of socketPair({ type })) end.close();
  return { ns: now() - start, sum: 0 };
}

/** A number for the peer, and our end. */
function makePair() {
  if (kind === 'datagram') {
    const [ours, theirs] = socketpair(AF_UNIX, SOCK_DGRAM);
    return { end: Datagram.fromFd(ours), fd: theirs, close: () => close(theirs) };
  }
  const [end, theirs] = socketPair({ type: kind === 'seqpacket' ? 'seqpacket' : 'stream' });
  return { end, fd: theirs.fd, close: () => theirs.close() };
}

/**
 * Starts this program once more, as the peer.
 *
 * @param {number | 'ignore'} fd
 */
function spawnPeer(fd) {
  const args = [...process.execArgv, import.meta.filename, ...process.argv.slice(2), 'peer'];
  const stdio = /** @type {const} */ (['ignore', 'inherit', 'inherit', fd, 'ipc']);
  return spawn(process.execPath, args, { stdio: [...stdio] });
}

/**
 * An end that is collected is closed.
 *
 * @type {End[]}
 */
const kept = [];

async function drive() {
  if (exercise === 'open') return serve(openAndClose);
  let child;
  /** @type {End} */
  let end;
  if (kind === 'tcp') {
    const server = await listen({ host: '127.0.0.1', port: 0 });
    process.env[PORT] = String(/** @type {{ port: number }} */ (server.address).port);
    child = spawnPeer('ignore');
    end = await server.accept();
    server.close();
  } else {
    const pair = makePair();
    child = spawnPeer(pair.fd);
    pair.close();
    end = pair.end;
  }
  kept.push(end);
  const flow = flows[exercise];
  if (flow !== undefined) return driveFlow(child, flow.send(end));
  const trip = trips[exercise];
  if (trip !== undefined) return driveTrips(child, trip.trip(end));
  throw new Error(`no exercise ${exercise}`);
}

async function answer() {
  /** @type {End} */
  const end =
    kind === 'tcp'
      ? await connect({ host: '127.0.0.1', port: Number(process.env[PORT]) })
      : kind === 'datagram'
        ? Datagram.fromFd(3)
        : Connection.fromFd(3);
  kept.push(end);
  const flow = flows[exercise];
  if (flow !== undefined) receiveFlow(flow.receive(end));
  else receiveTrips(/** @type {any} */ (trips[exercise]).echo(end));
}

if (role === 'peer') await answer();
else await drive();
