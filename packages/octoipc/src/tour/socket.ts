import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Connection, IpAddress } from '@octoipc/socket';

import { pipe, socket } from '../index.js';
import { chunks } from './payload.js';
import { startPeer, Tally } from './peer.js';
import type { Mechanism, Outcome, Report, Row, Stage } from './row.js';

const CHUNK_SIZE = 64 * 1024;

/** What every Unix socket takes in one piece, whatever its buffers were set to. */
const MESSAGE_SIZE = 32 * 1024;

/** On which the peer learns the address; that is all that the two have in common. */
const PIPES = { 3: 'read' } as const;

/** What the peer was told. */
async function addressToMeet(): Promise<string> {
  using told = pipe.PipeReader.fromFd(3);
  const { value } = await told.lines().next();
  return value as string;
}

/** A server, at whose address the peer connects; what is done with the connection, and what came of it. */
async function serve(
  stage: Stage,
  address: { path: string } | IpAddress,
  type: 'stream' | 'seqpacket',
  send: (connection: Connection, chunk: Buffer) => Promise<void>,
): Promise<Report> {
  const { payload, signal } = stage;
  using server = await socket.listen(address, { type });
  const where = server.address as { path: string } | IpAddress;
  using peer = startPeer(stage, PIPES);
  await peer.pipes[3].write(
    `${'path' in where ? `unix:${where.path}` : `tcp://${where.host}:${where.port}`}\n`,
  );
  using connection = await server.accept({ signal });
  await peer.ready();
  stage.begin();
  return await peer.during(async () => {
    const size = type === 'stream' ? CHUNK_SIZE : MESSAGE_SIZE;
    for await (const chunk of chunks(payload, size, signal)) {
      await send(connection, chunk);
      stage.progress(chunk.length);
    }
    await connection.end({ signal });
  });
}

/** A folder for a path, which goes afterwards. */
async function inFolder<T>(action: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-tour-'));
  try {
    return await action(join(folder, 'socket'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readBytes(ready: () => Promise<void>): Promise<Report> {
  using connection = await socket.connect(await addressToMeet());
  await ready();
  const tally = new Tally();
  for await (const chunk of connection) tally.add(chunk);
  return tally.ofBytes();
}

/** A stream of bytes, to a process that knows nothing but a path. */
const stream: Row = {
  name: 'stream',
  what: 'Unix stream',
  run: (stage) =>
    inFolder((path) =>
      serve(stage, { path }, 'stream', (connection, chunk) =>
        connection.write(chunk, { signal: stage.signal }),
      ),
    ),
  peer: ({ ready }) => readBytes(ready),
};

/** Packets: the kernel keeps their boundaries. */
const seqpacket: Row = {
  name: 'seqpacket',
  what: 'Unix, 32 KiB packets',
  run: (stage) =>
    inFolder((path) =>
      serve(stage, { path }, 'seqpacket', (connection, chunk) =>
        connection.send(chunk, { signal: stage.signal }),
      ),
    ),
  async peer({ ready }) {
    using connection = await socket.connect(await addressToMeet(), { type: 'seqpacket' });
    await ready();
    const tally = new Tally();
    for await (const packet of connection) tally.add(packet);
    return tally.ofMessages();
  },
};

/** Datagrams: no connection, and each tells who sent it. An empty one is the end. */
const datagram: Row = {
  name: 'datagram',
  what: 'Unix, 32 KiB datagrams',
  run: (stage) => inFolder((path) => sendDatagrams(stage, path)),
  async peer({ ready }) {
    const path = (await addressToMeet()).slice('unix:'.length);
    using receiver = await socket.Datagram.bind({ path });
    await ready();
    const tally = new Tally();
    for await (const { data } of receiver) {
      if (data.length === 0) break;
      tally.add(data);
    }
    return tally.ofMessages();
  },
};

async function sendDatagrams(stage: Stage, path: string): Promise<Outcome> {
  const { payload, signal } = stage;
  using peer = startPeer(stage, PIPES);
  await peer.pipes[3].write(`unix:${path}\n`);
  await peer.ready();
  using sender = await socket.Datagram.bind();
  stage.begin();
  return await peer.during(async () => {
    for await (const chunk of chunks(payload, MESSAGE_SIZE, signal)) {
      await sender.send(chunk, { path }, { signal });
      stage.progress(chunk.length);
    }
    await sender.send('', { path }, { signal });
  });
}

/** The one that leaves the machine. */
const tcp: Row = {
  name: 'tcp',
  what: 'TCP on 127.0.0.1',
  run: (stage) =>
    serve(stage, { host: '127.0.0.1', port: 0 }, 'stream', (connection, chunk) =>
      connection.write(chunk, { signal: stage.signal }),
    ),
  peer: ({ ready }) => readBytes(ready),
};

/** Sockets: bytes, packets and datagrams by a path, and bytes over the network. */
export const socketTour: Mechanism = {
  name: 'socket',
  purpose: 'both ways, many clients, who is at the other end, and descriptors',
  rows: [stream, seqpacket, datagram, tcp],
};
