// @ts-check
// socket.mjs KIND EXERCISE SIZE: what the socket suite measures, by @octoipc/socket. KIND is stream,
// seqpacket, datagram (all Unix) or tcp.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  dataOf,
  dialogue,
  dialogueSync,
  itself,
  readEach,
  readIterated,
  readStream,
  receiveEach,
  receiveIterated,
  sendAwaited,
  sendEach,
  sendWindows,
  takeWhole,
  takeWholeSync,
  writeStream,
} from './flows.mjs';
import { driveFlow, driveTrips, now, receiveFlow, receiveTrips, serve } from './side.mjs';

const [kind = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const isStream = kind === 'stream' || kind === 'tcp';

/** Where the peer connects to over TCP. */
const PORT = 'OCTOIPC_BENCH_PORT';

/** @typedef {any} End - a Connection or a Datagram */

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
  if (isStream) return takeWhole(size, (target) => end.read(target));
  return kind === 'datagram' ? async () => (await end.receive()).data : () => end.receive();
};

/** Spins until there is something. @param {End} end @returns {(target?: { into: Buffer }) => Uint8Array} */
const tryTake = (end) => {
  const own = { into: Buffer.alloc(size) };
  const once = isStream
    ? (/** @type {{ into: Buffer }} */ target) => end.tryRead(target)
    : () => end.tryReceive();
  return (target = own) => {
    for (;;) {
      const got = once(target);
      if (got) return kind === 'datagram' ? got.data : got;
    }
  };
};

/** Spins until there is room. @param {End} end */
const tryPut = (end) => (/** @type {Buffer} */ message) => {
  if (!isStream) while (!end.trySend(message));
  else for (let at = 0; at < size;) at += end.tryWrite(at === 0 ? message : message.subarray(at));
};

/** @type {Record<string, { send(end: End): (count: number) => unknown, receive(end: End): (count: number) => unknown }>} */
const flows = {
  sync: {
    send: (end) => sendEach(size, putSync(end)),
    receive: (end) => (isStream ? readEach(size, takeSync(end)) : receiveEach(takeSync(end))),
  },
  try: {
    send: (end) => sendEach(size, tryPut(end)),
    receive: (end) => (isStream ? readEach(size, tryTake(end)) : receiveEach(tryTake(end))),
  },
  awaited: {
    send: (end) => sendAwaited(size, put(end)),
    receive: (end) => {
      if (isStream) return readIterated(size, end);
      return kind === 'datagram' ? receiveIterated(end, dataOf) : receiveIterated(end, itself);
    },
  },
  frames: {
    send: (end) => sendWindows(size, socketSender(end)),
    receive: (end) => receiveIterated(socketReceiver(end), itself),
  },
  duplex: {
    send: (end) => writeStream(size, end.toDuplex()),
    receive: (end) => readStream(size, end.toDuplex()),
  },
};

/** @type {Record<string, (end: End) => ReturnType<typeof dialogue | typeof dialogueSync>>} */
const trips = {
  'roundtrip-sync': (end) =>
    dialogueSync(
      size,
      putSync(end),
      isStream ? takeWholeSync(size, (target) => end.readSync(target)) : takeSync(end),
    ),
  'roundtrip-try': (end) =>
    dialogueSync(size, tryPut(end), isStream ? takeWholeSync(size, tryTake(end)) : tryTake(end)),
  'roundtrip-awaited': (end) => dialogue(size, put(end), take(end)),
  'roundtrip-messages': (end) => {
    const sender = socketSender(end);
    const receiver = socketReceiver(end);
    return dialogue(
      size,
      (message) => sender.send(message),
      () => receiver.receive(),
    );
  },
};

function openAndClose(/** @type {number} */ count) {
  const type = kind === 'seqpacket' ? 'seqpacket' : 'stream';
  const start = now();
  for (let n = 0; n < count; n++) for (const end of socketPair({ type })) end.close();
  return { ns: now() - start, sum: 0 };
}

/** @param {() => Promise<{ close(): unknown }>} open */
const opened = (open) => async (/** @type {number} */ count) => {
  const start = now();
  for (let n = 0; n < count; n++) await (await open()).close();
  return { ns: now() - start, sum: 0 };
};

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
  if (exercise === 'bind') return serve(opened(() => Datagram.bind()));
  if (exercise === 'listen') {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'socket');
    return serve(opened(() => listen({ path })));
  }
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
  if (trip !== undefined) return driveTrips(child, trip(end).trip);
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
  else receiveTrips(/** @type {any} */ (trips[exercise])(end).echo);
}

if (role === 'peer') await answer();
else await drive();
