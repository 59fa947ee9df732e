import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  describeMessageChannel,
  type ChannelEnds,
  type MessageChannelAdapter,
} from '@octoipc/conformance';
import { mkfifo } from '@octoipc/fifo';
import { createPipe } from '@octoipc/pipe';
import { openReceiver, openSender, type ReceiverOptions, type SenderOptions } from 'octoipc';
import { afterAll } from 'vitest';

import { freshKey, freshName } from './channel-places.js';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-schemes-'));
afterAll(() => rmSync(folder, { recursive: true }));
let sockets = 0;
const freshPath = (): string => join(folder, String((sockets += 1)));

/** Both ends of a channel, by its URL. */
async function both(
  url: string,
  options: ReceiverOptions & SenderOptions = {},
): Promise<ChannelEnds> {
  const receiver = await openReceiver(url, { create: true, ...options });
  try {
    const { temporary: _, ...shared } = options;
    return { receiver, sender: await openSender(receiver.url, { create: true, ...shared }) };
  } catch (error) {
    receiver.close();
    throw error;
  }
}

type Lacks = NonNullable<MessageChannelAdapter['lacks']>;

interface Row {
  readonly mechanism: string | readonly string[];
  readonly lacks: Lacks;
  open(): Promise<ChannelEnds>;
}

const ORDER = { priorities: 'it keeps the order' };
const LASTING = {
  end: 'it outlives its senders',
  brokenPipe: 'it outlives its receivers',
};
const LIMIT = { maxMessageSize: 60_000 };

/** A pipe whose ends this process has as if it had inherited them. */
function inherited(): Promise<ChannelEnds> {
  const { reader, writer } = createPipe({ capacity: 4096 });
  const [from, to] = [reader.release(), writer.release()];
  return Promise.all([openReceiver(`pipe:${from}`, LIMIT), openSender(`pipe:${to}`, LIMIT)]).then(
    ([receiver, sender]) => ({ receiver, sender }),
  );
}

/** Two programs with a FIFO between: one is sent to, the other received from. */
async function programs(): Promise<ChannelEnds> {
  const path = freshPath();
  mkfifo(path);
  const receiver = await openReceiver(`popen:exec cat '${path}'`, LIMIT);
  const sender = await openSender(`popen:exec cat > '${path}'`, LIMIT);
  // Each has opened the FIFO when something has come through.
  await sender.send('begin');
  await receiver.receive();
  return { receiver, sender };
}

const rows: Readonly<Record<string, Row>> = {
  'pipe:': { mechanism: 'PIPE', lacks: ORDER, open: inherited },
  'popen:': {
    mechanism: 'POPEN',
    lacks: {
      ...ORDER,
      bounded: 'the programs in between move on what they have',
      brokenPipe: 'the program that reads is there until it writes in vain',
    },
    open: programs,
  },
  'fifo:': {
    mechanism: 'FIFO',
    lacks: ORDER,
    open: () => both(`fifo:${freshPath()}`, LIMIT),
  },
  'fifo: (many senders)': {
    mechanism: 'FIFO',
    lacks: { ...ORDER, end: LASTING.end },
    open: () => both(`fifo:${freshPath()}`, { multipleSenders: true }),
  },
  'mq:': {
    mechanism: 'MQ',
    lacks: LASTING,
    open: () =>
      both(`mq:${freshName()}`, { temporary: true, maxMessages: 8, maxMessageSize: 4096 }),
  },
  'sysv-mq:': {
    mechanism: 'SVMSG',
    lacks: { ...LASTING, ...ORDER },
    open: () => both(`sysv-mq:${freshKey()}`, { temporary: true }),
  },
  'shm:': {
    mechanism: 'RING',
    lacks: { ...LASTING, ...ORDER },
    open: () => both(`shm:${freshName()}`, { temporary: true, capacity: 65_536 }),
  },
  'unix:': {
    mechanism: 'SOCK',
    lacks: ORDER,
    open: () => both(`unix:${freshPath()}`, LIMIT),
  },
  'unix+seqpacket:': {
    mechanism: 'SOCK',
    lacks: { ...ORDER, emptyMessages: 'a packet without bytes looks like the end' },
    open: () => both(`unix+seqpacket:${freshPath()}`, LIMIT),
  },
  'unix+dgram:': {
    mechanism: 'SOCK',
    lacks: { ...ORDER, end: 'senders come and go unseen' },
    open: () => both(`unix+dgram:${freshPath()}`),
  },
  'tcp:': {
    mechanism: 'TCP',
    lacks: ORDER,
    open: () => both('tcp://127.0.0.1:0', LIMIT),
  },
};

for (const [name, row] of Object.entries(rows)) {
  describeMessageChannel({ name: `channel by URL, ${name}`, ...row });
}
