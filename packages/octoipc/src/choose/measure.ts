import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { WaitOptions } from '@octoipc/core';
import type { PipeReader, PipeWriter } from '@octoipc/pipe';

import { openReceiver, openSender } from '../channels/entry.js';
import { pipe } from '../index.js';
import { placeFor, type Mechanism, type Place } from './candidates.js';
import { COUNT, ECHO, PIPE_BACK, PIPE_THERE, SAYS, TOLD, type Order } from './peer.js';

/** What was measured between two processes. */
export interface Measurement {
  /** Microseconds until an answer is there: the median, and what 99 of 100 take at most. */
  readonly roundTrip: number;
  readonly roundTrip99: number;
  readonly messagesPerSecond: number;
  readonly megabytesPerSecond: number;
}

/** How long is measured, in milliseconds. */
export interface Patience {
  readonly warm: number;
  readonly trips: number;
  readonly stream: number;
}

/** What waits longer will not come any more. */
const TIMEOUT = 5000;
/** So long the other process may take to end. */
const GRACE = 2000;
/** Messages sent between two looks at the clock. */
const BATCH = 64;

/** The two ends of this process. */
interface Ends {
  send(message: Uint8Array, wait: WaitOptions): Promise<void>;
  receive(wait: WaitOptions): Promise<Buffer | null>;
  close(): void;
}

/**
 * Measures a mechanism between this process and another one.
 *
 * @param mechanism - which
 * @param size - bytes of a message
 * @param options - the command's own file, how long, and what ends it
 * @returns the figures
 * @throws {IpcError} what the mechanism refuses
 */
export async function measure(
  mechanism: Mechanism,
  size: number,
  options: { readonly program: string; readonly patience: Patience; readonly signal: AbortSignal },
): Promise<Measurement> {
  const { program, patience, signal } = options;
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-choose-'));
  const spawned = pipe.spawnWithPipes(process.execPath, [program, 'choose-peer'], {
    pipes: { [TOLD]: 'read', [SAYS]: 'write', [PIPE_THERE]: 'read', [PIPE_BACK]: 'write' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { child } = spawned;
  const pipes = spawned.pipes as Readonly<Record<number, PipeReader | PipeWriter>>;
  const wait = { signal, timeout: TIMEOUT };
  let ends: Ends | undefined;
  try {
    ends = await meet(mechanism, size, { pipes, folder, wait });
    const trips = await roundTrips(ends, size, patience, wait);
    return { ...trips, ...(await stream(ends, size, patience.stream, wait)) };
  } finally {
    ends?.close();
    for (const end of Object.values(pipes)) end.close();
    await ending(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The other process ends when its pipes do, and takes its objects with it; if not, it is ended. */
async function ending(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const late = setTimeout(() => child.kill('SIGKILL'), GRACE);
  await once(child, 'exit');
  clearTimeout(late);
}

interface Meeting {
  readonly pipes: Readonly<Record<number, PipeReader | PipeWriter>>;
  readonly folder: string;
  readonly wait: WaitOptions;
}

/** Opens both channels: this process receives first, then the other one, then both send. */
async function meet(mechanism: Mechanism, size: number, meeting: Meeting): Promise<Ends> {
  const { pipes, folder, wait } = meeting;
  const tell = pipes[TOLD] as PipeWriter;
  const lines = (pipes[SAYS] as PipeReader).lines();
  const order = (there: Place, back: string): string =>
    `${JSON.stringify({ there: there.url, options: there.options, back } satisfies Order)}\n`;
  if (mechanism === 'pipe') {
    const sender = pipe.pipeSender(pipes[PIPE_THERE] as PipeWriter);
    const receiver = pipe.pipeReceiver(pipes[PIPE_BACK] as PipeReader);
    await tell.write(order({ url: `pipe:${PIPE_THERE}`, options: {} }, `pipe:${PIPE_BACK}`), wait);
    await lines.next();
    return endsOf(sender, receiver);
  }
  const back = placeFor(mechanism, folder, 'back', size);
  const receiver = await openReceiver(back.url, { ...back.options, ...wait });
  try {
    await tell.write(order(placeFor(mechanism, folder, 'there', size), receiver.url), wait);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the other process could not take part');
    const sender = await openSender(JSON.parse(value) as string, wait);
    return endsOf(sender, receiver);
  } catch (error) {
    receiver.close();
    throw error;
  }
}

function endsOf(
  sender: { send: Ends['send']; close(): void },
  receiver: { receive: Ends['receive']; close(): void },
): Ends {
  return {
    send: (message, wait) => sender.send(message, wait),
    receive: (wait) => receiver.receive(wait),
    close() {
      sender.close();
      receiver.close();
    },
  };
}

async function roundTrips(
  ends: Ends,
  size: number,
  { warm, trips }: Patience,
  wait: WaitOptions,
): Promise<Pick<Measurement, 'roundTrip' | 'roundTrip99'>> {
  const message = new Uint8Array(size);
  message[0] = ECHO;
  const start = performance.now();
  const times: number[] = [];
  for (let before = start; before < start + warm + trips || times.length === 0;) {
    await ends.send(message, wait);
    await ends.receive(wait);
    const now = performance.now();
    if (before >= start + warm) times.push(now - before);
    before = now;
  }
  times.sort((a, b) => a - b);
  const at = (part: number): number =>
    Number((times[Math.floor(times.length * part)]! * 1000).toFixed(1));
  return { roundTrip: at(0.5), roundTrip99: at(0.99) };
}

async function stream(
  ends: Ends,
  size: number,
  milliseconds: number,
  wait: WaitOptions,
): Promise<Pick<Measurement, 'messagesPerSecond' | 'megabytesPerSecond'>> {
  const counted = new Uint8Array(size);
  counted[0] = COUNT;
  const last = new Uint8Array(size);
  last[0] = ECHO;
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < milliseconds) {
    for (let i = 0; i < BATCH; i++) await ends.send(counted, wait);
    sent += BATCH;
  }
  // The answer to the last one says that the other side has them all.
  await ends.send(last, wait);
  await ends.receive(wait);
  const seconds = (performance.now() - start) / 1000;
  const messagesPerSecond = Math.round((sent + 1) / seconds);
  return {
    messagesPerSecond,
    megabytesPerSecond: Number(((messagesPerSecond * size) / 1e6).toFixed(1)),
  };
}
