import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { isIpcError } from '@octoipc/core';

import type { Payload } from './payload.js';
import type { Mechanism, Outcome, Row, RowResult, Stage } from './row.js';

/** Told of each row as it goes. */
export interface Watcher {
  start(mechanism: Mechanism, row: Row): void;
  /** So much has been done in total, after so many milliseconds. */
  progress(done: number, milliseconds: number): void;
  end(result: RowResult): void;
}

/** What the tour needs. */
export interface TourOptions {
  readonly mechanisms: readonly Mechanism[];
  readonly payload: Payload;
  /** The program that runs `tour-peer`: the command's own file. */
  readonly program: string;
  readonly watcher?: Watcher;
  /** Interrupts the tour. */
  readonly signal?: AbortSignal;
  /** A row that makes no progress for so many milliseconds has failed. @default 10000 */
  readonly patience?: number;
}

/** How long a peer that has reported may take to exit, in milliseconds. */
const EXIT_TIME = 2000;

/**
 * Runs the rows of all mechanisms, one after the other. A row that fails is a result like any other.
 * Every process that a row started has ended before the next one starts.
 *
 * @param options - what to show, of which file
 * @returns a result for each row
 * @throws the signal's reason when the tour is interrupted
 */
export async function runTour(options: TourOptions): Promise<RowResult[]> {
  const results: RowResult[] = [];
  for (const mechanism of options.mechanisms) {
    for (const row of mechanism.rows) {
      options.signal?.throwIfAborted();
      options.watcher?.start(mechanism, row);
      const result = await runRow(mechanism, row, options);
      options.signal?.throwIfAborted();
      options.watcher?.end(result);
      results.push(result);
    }
  }
  return results;
}

async function runRow(mechanism: Mechanism, row: Row, options: TourOptions): Promise<RowResult> {
  const { payload, patience = 10_000 } = options;
  const controller = new AbortController();
  const { signal } = controller;
  const children: ChildProcess[] = [];
  const interrupt = (): void => controller.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', interrupt, { once: true });
  const watchdog = setTimeout(() => {
    controller.abort(new Error(`nothing has moved for ${patience / 1000} s`));
  }, patience);
  let began = performance.now();
  let done = 0;
  const stage: Stage = {
    payload,
    signal,
    peer: {
      file: process.execPath,
      args: [options.program, 'tour-peer', mechanism.name, row.name],
    },
    begin() {
      watchdog.refresh();
      began = performance.now();
    },
    progress(amount) {
      if (amount <= 0) return;
      watchdog.refresh();
      done += amount;
      options.watcher?.progress(done, performance.now() - began);
    },
    adopt(child) {
      children.push(child);
      if (signal.aborted) child.kill('SIGKILL');
    },
  };
  const result = (outcome: Partial<RowResult>): RowResult => {
    const milliseconds = performance.now() - began;
    const { bytes = 0 } = outcome;
    return {
      mechanism: mechanism.name,
      what: row.what,
      bytes,
      messages: 0,
      milliseconds: tenths(milliseconds),
      megabytesPerSecond: bytes === 0 ? 0 : tenths(bytes / 1000 / milliseconds),
      verified: false,
      ...outcome,
    };
  };
  try {
    const outcome = await Promise.race([row.run(stage), rejectionOf(signal)]);
    return result(verdict(outcome, payload));
  } catch (error) {
    // Whatever of the row still waits is told to end, its processes first.
    if (!signal.aborted) controller.abort(error);
    return result({ error: describe(signal.reason) });
  } finally {
    clearTimeout(watchdog);
    options.signal?.removeEventListener('abort', interrupt);
    await Promise.all(children.map((child) => ended(child, signal)));
  }
}

/** Whether what arrived is what was sent. */
function verdict(outcome: Outcome, payload: Payload): Partial<RowResult> {
  if (outcome.held !== undefined) {
    const { messages, held } = outcome;
    return { messages, verified: held, ...(held ? {} : { error: 'it did not hold' }) };
  }
  const { bytes, messages, digest } = outcome;
  if (bytes !== payload.size) {
    const error = `${bytes} bytes arrived, ${payload.size} were sent`;
    return { bytes, messages, error };
  }
  if (digest === payload.digest) return { bytes, messages, verified: true };
  const error = `SHA-256 ${digest.slice(0, 12)}… arrived, ${payload.digest.slice(0, 12)}… was sent`;
  return { bytes, messages, error };
}

/** Waits for a child's end; not for long, and not at all once the row was given up. */
async function ended(child: ChildProcess, signal: AbortSignal): Promise<void> {
  // No pid: it could not be started, and will not exit.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (signal.aborted) child.kill('SIGKILL');
  const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_TIME);
  await once(child, 'exit');
  clearTimeout(timer);
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = isIpcError(error) ? error.hint : undefined;
  return hint === undefined ? error.message : `${error.message} (${hint})`;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
