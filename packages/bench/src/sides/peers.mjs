// @ts-check
// peers.mjs PACKAGE EXERCISE SIZE: what packages of npm offer for messages between two processes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { keysOf, load } from '../peers.mjs';
import {
  driveFlow,
  driveTrips,
  fill,
  receiveFlow,
  receiveTrips,
  sumOf,
  tripsAwaited,
} from './side.mjs';

const [name = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const isPeer = role === 'peer';

/** Where both meet. */
const FOLDER = 'OCTOIPC_BENCH_FOLDER';

/** Messages that are sent before one is awaited. */
const WINDOW = 100;

/**
 * One end of a channel, by a package.
 *
 * @typedef {object} End
 * @property {(message: Buffer) => unknown} send - what it returns may be awaited
 * @property {(listener: (message: Buffer) => void) => void} listen
 */

/** @type {Record<string, (folder: string) => Promise<End>>} */
const ends = {
  async 'node-ipc'(folder) {
    const ipc = await load(name);
    Object.assign(ipc.config, { silent: true, rawBuffer: false, socketRoot: `${folder}/` });
    ipc.config.id = 'driver';
    /** @type {(message: Buffer) => void} */
    let told = () => {};
    // Its messages are JSON: bytes travel as text.
    const bytesOf = (/** @type {string} */ text) => Buffer.from(text, 'latin1');
    if (!isPeer) {
      const socket = await new Promise((resolve) => {
        ipc.serve(() => {
          ipc.server.on('hello', (/** @type {any} */ _, /** @type {any} */ peer) => resolve(peer));
          ipc.server.on('message', (/** @type {any} */ data) => told(bytesOf(data)));
        });
        ipc.server.start();
        void spawnPeer(folder);
      });
      return {
        send: (message) => ipc.server.emit(socket, 'message', message.toString('latin1')),
        listen: (listener) => void (told = listener),
      };
    }
    await new Promise((resolve) => {
      ipc.connectTo('driver', () => {
        ipc.of.driver.on('connect', resolve);
        ipc.of.driver.on('message', (/** @type {any} */ data) => told(bytesOf(data)));
      });
    });
    ipc.of.driver.emit('hello', '');
    return {
      send: (message) => ipc.of.driver.emit('message', message.toString('latin1')),
      listen: (listener) => void (told = listener),
    };
  },
  async svmq(folder) {
    const queues = await load(name);
    const [forth, back] = keysOf(isPeer ? process.ppid : process.pid).map((key) =>
      queues.open(key),
    );
    const [to, from] = isPeer ? [back, forth] : [forth, back];
    // Who removes them ends its receives that way.
    from.on('error', () => process.exit());
    if (!isPeer) {
      process.once('exit', () => [to, from].forEach((queue) => queue.close()));
      void spawnPeer(folder);
    }
    return {
      send: (message) =>
        new Promise((resolve, reject) => {
          to.push(message, (/** @type {any} */ error) => (error ? reject(error) : resolve(null)));
        }),
      listen: (listener) => from.on('data', listener),
    };
  },
  async 'unix-dgram'(folder) {
    const unix = await load(name);
    /** @type {(message: Buffer) => void} */
    let told = () => {};
    const [own, other] = isPeer ? ['peer', 'driver'] : ['driver', 'peer'];
    const server = unix.createSocket('unix_dgram', (/** @type {Buffer} */ data) => told(data));
    server.bind(join(folder, own));
    if (!isPeer) await spawnPeer(folder);
    else process.send?.('bound');
    const client = unix.createSocket('unix_dgram');
    client.on('error', (/** @type {Error} */ error) => {
      throw error;
    });
    /** @type {() => void} */
    let go = () => {};
    client.on('writable', () => go());
    await new Promise((resolve) => {
      client.on('connect', resolve);
      client.connect(join(folder, other));
    });
    kept.push(server, client);
    return {
      // What a full receiver refuses is sent again when it can take it.
      async send(message) {
        for (let sent = false; !sent;) {
          const writable = new Promise((resolve) => (go = () => resolve(undefined)));
          let full = false;
          const congested = () => (full = true);
          client.once('congestion', congested);
          client.send(message);
          client.removeListener('congestion', congested);
          if (full) await writable;
          else sent = true;
        }
      },
      listen: (listener) => void (told = listener),
    };
  },
  async 'node-unix-socket'(folder) {
    const { SeqpacketServer, SeqpacketSocket } = await load(name);
    const path = join(folder, 'seqpacket');
    /** @type {any} */
    let socket;
    if (isPeer) {
      socket = new SeqpacketSocket();
      await new Promise((resolve) => socket.connect(path, () => resolve(undefined)));
    } else {
      const server = new SeqpacketServer();
      server.listen(path);
      kept.push(server);
      void spawnPeer(folder);
      socket = await new Promise((resolve) => server.on('connection', resolve));
    }
    kept.push(socket);
    return {
      send: (message) =>
        new Promise((resolve) => socket.write(message, 0, size, () => resolve(undefined))),
      listen: (listener) => socket.on('data', listener),
    };
  },
};

/**
 * What would be closed if it were collected.
 *
 * @type {unknown[]}
 */
const kept = [];

/** @type {import('node:child_process').ChildProcess} */
let child;

/** When the peer has its end. @type {Promise<unknown> | undefined} */
let opened;

/** @param {string} folder */
async function spawnPeer(folder) {
  child = spawn(process.execPath, [import.meta.filename, ...process.argv.slice(2), 'peer'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [FOLDER]: folder },
  });
  /** @param {string} word */
  const told = (word) =>
    new Promise((resolve) => {
      child.on('message', (message) => message === word && resolve(undefined));
    });
  opened = told('open');
  await told('bound');
}

const open = ends[name];
if (open === undefined) throw new Error(`no package ${name}`);
const folder = process.env[FOLDER] ?? mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
if (!isPeer) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

async function drive(/** @type {End} */ end) {
  if (exercise === 'trips') {
    /** @type {(message: Buffer) => void} */
    let told = () => {};
    end.listen((message) => told(message));
    const message = Buffer.alloc(size);
    return driveTrips(
      child,
      tripsAwaited((n) => {
        const answered = new Promise((resolve) => (told = resolve));
        fill(message, n);
        void end.send(message);
        return answered;
      }),
    );
  }
  return driveFlow(child, async (count) => {
    for (let n = 0; n < count;) {
      /** @type {unknown[]} */
      const sent = [];
      for (const stop = Math.min(count, n + WINDOW); n < stop; n++) {
        const message = Buffer.allocUnsafe(size);
        fill(message, n);
        const each = end.send(message);
        // Who tells when it may go on is asked to.
        if (name === 'unix-dgram') await each;
        else sent.push(each);
      }
      await Promise.all(sent);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
}

function answer(/** @type {End} */ end) {
  if (exercise === 'trips') {
    end.listen((message) => void end.send(message));
    return receiveTrips(() => {});
  }
  let left = 0;
  let sum = 0;
  /** @type {(sum: number) => void} */
  let done = () => {};
  end.listen((message) => {
    sum += sumOf(message, 0);
    left -= 1;
    if (left === 0) done(sum);
  });
  receiveFlow((count) => {
    [left, sum] = [count, 0];
    return new Promise((resolve) => (done = resolve));
  });
}

const end = await open(folder);
if (isPeer) {
  answer(end);
  process.send?.('open');
} else {
  await opened;
  await drive(end);
}
