import { setTimeout } from 'node:timers/promises';

import { isIpcError } from '@octoipc/core';

import { pipe, signal as signals } from '../index.js';
import { startPeer, Tally } from './peer.js';
import type { Mechanism, Row } from './row.js';

const COUNT = 20_000;

/** After so many signals the progress line moves, and the event loop turns. */
const PART = 1000;

/** The end has the higher number, so the kernel gives it last. */
const DATA = 'SIGRTMIN+1';
const END = 'SIGRTMIN+2';

/** A value as the bytes that are compared. */
function bytesOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Values that tell their order, and are not all small. */
function valueOf(index: number): number {
  return index % 2 === 0 ? index : -index * 4096;
}

/** Queues one, again and again where as many are queued as the system allows. */
async function queue(pid: number, name: typeof DATA | typeof END, value: number): Promise<void> {
  for (;;) {
    try {
      signals.send(pid, name, { value });
      return;
    } catch (error) {
      if (!isIpcError(error, 'EAGAIN')) throw error;
      await setTimeout(1);
    }
  }
}

/** Values with real-time signals, to a peer that counts them and compares their order. */
const queued: Row = {
  name: 'queued',
  what: '20,000 queued, in order',

  async run(stage) {
    using peer = startPeer(stage, { 3: 'write' });
    await peer.ready();
    const { value } = await peer.pipes[3].lines().next();
    const pid = Number(value);
    const sent = new Tally();
    stage.begin();
    const report = await peer.during(async () => {
      for (let i = 0; i < COUNT; i++) {
        await queue(pid, DATA, valueOf(i));
        sent.add(bytesOf(valueOf(i)));
        if (i % PART !== PART - 1) continue;
        stage.progress(PART);
        await setTimeout(0);
        stage.signal.throwIfAborted();
      }
      await queue(pid, END, 0);
    });
    const { digest } = sent.ofMessages();
    return {
      messages: report.messages,
      held: report.messages === COUNT && report.digest === digest,
    };
  },

  async peer({ ready }) {
    using watcher = signals.watch([DATA, END]);
    await ready();
    using told = pipe.PipeWriter.fromFd(3);
    await told.write(`${process.pid}\n`);
    const tally = new Tally();
    for await (const { number, value = 0 } of watcher) {
      if (number === signals.signals[END]) break;
      tally.add(bytesOf(value));
    }
    return tally.ofMessages();
  },
};

/** Signals: who, why and what. */
export const signalTour: Mechanism = {
  name: 'signal',
  purpose: 'a number to any process, with its sender, its reason and its order',
  rows: [queued],
};
