import type { Iterated, IterationAdapter } from '@octoipc/conformance';
import {
  connect,
  Datagram,
  datagramReceiver,
  listen,
  serverReceiver,
  socketPair,
  socketReceiver,
  socketSender,
  type Connection,
  type ConnectionType,
  type DatagramMessage,
} from '@octoipc/socket';

import { nameOf } from './adapter.js';
import { freshName } from './place.js';

const mechanism = 'SOCK';
const first = (bytes: Buffer): unknown => bytes[0];

const between = (
  name: string,
  type: ConnectionType,
  make: (left: Connection, right: Connection) => Omit<Iterated, 'close'>,
): IterationAdapter => ({
  name,
  mechanism,
  open() {
    const [left, right] = socketPair({ type });
    const close = (): void => {
      left.close();
      right.close();
    };
    return { ...make(left, right), close };
  },
});

const chunks = (type: ConnectionType): IterationAdapter =>
  between(`Connection of a ${type}`, type, (left, right) => ({
    iterate: () => right[Symbol.asyncIterator](),
    handle: right,
    give: (token) => left.write(Uint8Array.of(token)),
    token: first,
  }));

const lines = between('Connection.lines()', 'stream', (left, right) => ({
  iterate: () => right.lines(),
  handle: right,
  give: (token) => left.write(`${token}\n`),
  token: Number,
}));

const messages = (type: ConnectionType): IterationAdapter =>
  between(`socketReceiver() of a ${type}`, type, (left, right) => {
    const sender = socketSender(left);
    const receiver = socketReceiver(right);
    // The connection stays open for its other end.
    socketSender(right);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send(Uint8Array.of(token)),
      token: first,
    };
  });

const datagrams: IterationAdapter = {
  name: 'Datagram',
  mechanism,
  async open() {
    const reader = await Datagram.bind();
    const writer = await Datagram.connect({ abstract: nameOf(reader) });
    return {
      iterate: () => reader[Symbol.asyncIterator](),
      handle: reader,
      give: (token) => writer.send(Uint8Array.of(token)),
      token: ({ data }: DatagramMessage) => data[0],
      close() {
        reader.close();
        writer.close();
      },
    };
  },
};

const received: IterationAdapter = {
  name: 'datagramReceiver()',
  mechanism,
  async open() {
    const reader = await Datagram.bind();
    const writer = await Datagram.connect({ abstract: nameOf(reader) });
    const receiver = datagramReceiver(reader);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => writer.send(Uint8Array.of(token)),
      token: first,
      close() {
        receiver.close();
        writer.close();
      },
    };
  },
};

const connections: IterationAdapter = {
  name: 'Server',
  mechanism,
  lacks: { tokens: 'one connection is as good as another' },
  async open() {
    const abstract = freshName();
    const server = await listen({ abstract });
    const clients: Connection[] = [];
    return {
      iterate: () => server[Symbol.asyncIterator](),
      handle: server,
      give: async () => void clients.push(await connect({ abstract })),
      token: (connection: Connection) => connection.close(),
      close() {
        server.close();
        for (const client of clients) client.close();
      },
    };
  },
};

const served: IterationAdapter = {
  name: 'serverReceiver()',
  mechanism,
  async open() {
    const abstract = freshName();
    const receiver = serverReceiver(await listen({ abstract }));
    const client = await connect({ abstract });
    const sender = socketSender(client);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send(Uint8Array.of(token)),
      token: first,
      close() {
        receiver.close();
        sender.close();
      },
    };
  },
};

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [
  chunks('stream'),
  chunks('seqpacket'),
  lines,
  messages('stream'),
  messages('seqpacket'),
  datagrams,
  received,
  connections,
  served,
];
