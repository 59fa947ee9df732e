import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import type {
  ByteStreamAdapter,
  CrashSafetyAdapter,
  LifecycleAdapter,
  MessageChannelAdapter,
  ResourcesAdapter,
  Waitable,
  WaitableAdapter,
} from '@octoipc/conformance';
import {
  connect,
  Connection,
  Datagram,
  listen,
  socketPair,
  socketReceiver,
  socketSender,
  type ConnectionType,
} from '@octoipc/socket';

import { folder, freshName, freshPath } from './place.js';

const mechanism = ['SOCK', 'TCP'];
const script = new URL('./fixtures/roles.mjs', import.meta.url);

const bytesBetween = (
  name: string,
  open: () => Promise<[Connection, Connection]> | [Connection, Connection],
  lacks: ByteStreamAdapter['lacks'] = {},
): ByteStreamAdapter => ({
  name,
  mechanism,
  lacks: { atomic: 'a socket takes what fits', ...lacks },
  async open() {
    const [reader, writer] = await open();
    return { reader, writer };
  },
});

export const stream = bytesBetween('socketPair()', () => socketPair());

const overTcp = async (): Promise<[Connection, Connection]> => {
  const server = await listen({ host: '127.0.0.1', port: 0 });
  try {
    server.receiveBufferSize = 64 * 1024;
    const writer = await connect(server.address as { host: string; port: number });
    writer.sendBufferSize = 64 * 1024;
    return [await server.accept(), writer];
  } finally {
    server.close();
  }
};

export const tcp = bytesBetween('connect() over TCP', overTcp, {
  brokenPipe: 'the network tells later, and of a reset first (TCP-004, TCP-005)',
});

const channelOf = (
  type: ConnectionType,
  lacks: NonNullable<MessageChannelAdapter['lacks']>,
): MessageChannelAdapter => ({
  name: `socketSender() and socketReceiver() of a ${type}`,
  mechanism,
  lacks: { priorities: 'a socket keeps the order', ...lacks },
  open() {
    const [left, right] = socketPair({ type, maxMessageSize: 100_000 });
    return { sender: socketSender(left), receiver: socketReceiver(right) };
  },
});

export const channel = channelOf('stream', {});
export const packets = channelOf('seqpacket', {
  emptyMessages: 'a packet without bytes looks like the end',
});

const byteOf = (chunk: Buffer | null | undefined): unknown => chunk?.[0];

export const reads: WaitableAdapter = {
  name: 'Connection.read()',
  mechanism,
  open(): Waitable {
    const [reader, writer] = socketPair();
    return {
      handle: reader,
      wait: (options) => reader.read({ ...options, maxBytes: 1 }).then(byteOf),
      tryTake: () => byteOf(reader.tryRead({ maxBytes: 1 })),
      waitSync: (options) => byteOf(reader.readSync({ ...options, maxBytes: 1 })),
      give: (token) => writer.write(Uint8Array.of(token)),
      close() {
        reader.close();
        writer.close();
      },
    };
  },
};

export const receives: WaitableAdapter = {
  name: 'Connection.receive() of packets',
  mechanism,
  open(): Waitable {
    const [reader, writer] = socketPair({ type: 'seqpacket' });
    return {
      handle: reader,
      wait: (options) => reader.receive(options).then(byteOf),
      tryTake: () => byteOf(reader.tryReceive()),
      waitSync: (options) => byteOf(reader.receiveSync(options)),
      give: (token) => writer.send(Uint8Array.of(token)),
      close() {
        reader.close();
        writer.close();
      },
    };
  },
};

export const datagrams: WaitableAdapter = {
  name: 'Datagram.receive()',
  mechanism,
  async open(): Promise<Waitable> {
    const reader = await Datagram.bind();
    const writer = await Datagram.connect({ abstract: nameOf(reader) });
    return {
      handle: reader,
      wait: (options) => reader.receive(options).then(({ data }) => data[0]),
      tryTake: () => reader.tryReceive()?.data[0],
      waitSync: (options) => reader.receiveSync(options).data[0],
      give: (token) => writer.send(Uint8Array.of(token)),
      close() {
        reader.close();
        writer.close();
      },
    };
  },
};

/** The abstract name that the kernel has given. */
export function nameOf(socket: Datagram): string | Uint8Array {
  const { local } = socket;
  if (local === null || !('abstract' in local)) throw new Error('it has no abstract name');
  return local.abstract;
}

export const resources: ResourcesAdapter = {
  name: 'listen() and connect()',
  mechanism,
  script,
  async open() {
    const server = await listen({ path: freshPath() });
    const client = await connect(server.address as { path: string });
    const served = await server.accept();
    const use = async (): Promise<void> => {
      const read = served.read();
      await client.write('x');
      await read;
    };
    return { handles: [server, client, served], use };
  },
  failures: {
    'a path that leads nowhere': () => connect({ path: freshPath() }),
    'a path over the limit': () => listen({ path: `${folder}/${'x'.repeat(120)}` }),
    'a directory that is missing': () => listen({ path: `${folder}/none/s` }),
    'a path that is no socket': () => connect({ path: process.execPath }),
    'a path that is taken': () => listen({ path: folder }),
    'a taken path that shall be reclaimed': () => listen({ path: folder }, { reclaim: true }),
    'a name that nobody has': () => connect({ abstract: freshName() }),
    'a port where nobody listens': () => connect({ host: '127.0.0.1', port: 1 }),
    'a name that is taken': async () => {
      const socket = await Datagram.bind();
      try {
        await Datagram.bind({ abstract: nameOf(socket) });
      } finally {
        socket.close();
      }
    },
    'a descriptor that is no socket': () => {
      const fd = openSync('/dev/null', 'r');
      try {
        Connection.fromFd(fd);
      } finally {
        closeSync(fd);
      }
    },
    'descriptors that are not open': async () => {
      const [left, right] = socketPair();
      try {
        await left.sendFds([2 ** 31 - 1]);
      } finally {
        left.close();
        right.close();
      }
    },
    'more descriptors than were asked for': async () => {
      const [left, right] = socketPair();
      try {
        await left.sendFds([left, right, left]);
        await right.receiveFds({ maxFds: 1 });
      } finally {
        left.close();
        right.close();
      }
    },
  },
};

/** A peer, and the connection to it. */
async function start(args: string[]): Promise<{ child: ChildProcess; connection: Connection }> {
  const path = freshPath();
  const server = await listen({ path });
  try {
    const env = { ...process.env, OCTOIPC_TEST_SOCKET: path };
    const child = spawn(process.execPath, args, { env });
    return { child, connection: await server.accept() };
  } finally {
    server.close();
  }
}

export const crashes: CrashSafetyAdapter = {
  name: 'listen() and connect()',
  mechanism,
  script,
  lacks: { persistent: 'what it holds goes with its ends' },
  async startWriter(args) {
    const { child, connection } = await start(args);
    return { child, reader: connection };
  },
  async startReader(args) {
    const { child, connection } = await start(args);
    return { child, writer: connection };
  },
  async startSender(args) {
    const { child, connection } = await start(args);
    return { child, receiver: socketReceiver(connection) };
  },
  async startReceiver(args) {
    const { child, connection } = await start(args);
    return { child, sender: socketSender(connection) };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'Connection', mechanism, script };
