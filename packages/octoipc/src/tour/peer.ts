import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';

import { isIpcError } from '@octoipc/core';
import type { PipeReader, SpawnedWithPipes } from '@octoipc/pipe';

import { pipe } from '../index.js';
import type { PeerSide, Report, Row, Stage } from './row.js';

/** The peer's descriptor for what it has to say; the mechanism's own come before it or after it. */
const REPORT_FD = 4;

/** How often a peer looks whether its parent is still there, in milliseconds. */
const ORPHAN_CHECK = 1000;

/** What a peer says, a line of JSON each: that it is there, and then how it went. */
type Line = { ready: true } | { report: Report } | { error: string };

type Pipes = Readonly<Record<number, 'read' | 'write'>>;

/** The other process, as this one sees it. */
export interface Peer<P extends Pipes> extends Disposable {
  /** The pipes that the row asked for. */
  readonly pipes: SpawnedWithPipes<P>['pipes'];
  /** Resolves when the peer is there. */
  ready(): Promise<void>;
  /**
   * Runs what this side does and takes the peer's report; if both fail, the peer's word counts, which
   * says more than our EPIPE.
   */
  during(action: () => Promise<void>): Promise<Report>;
}

/**
 * Starts the second process of a row. It gets the pipes that the row asks for, and one on which it
 * reports. Disposing of the peer closes this side's ends.
 *
 * @param stage - of the row
 * @param pipes - further pipes, by the peer's descriptor: `{ 3: 'read' }`
 * @returns the peer
 */
export function startPeer<const P extends Pipes>(stage: Stage, pipes: P): Peer<P> {
  const { child, pipes: ends } = pipe.spawnWithPipes(stage.peer.file, stage.peer.args, {
    pipes: { ...pipes, [REPORT_FD]: 'write' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  stage.adopt(child);
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  const reports = ends[REPORT_FD] as PipeReader;
  const lines = reports.lines();
  // Ends what waits for a report; what waits on the row's own pipes has the signal itself.
  stage.signal.addEventListener('abort', () => reports.close(), { once: true });
  const next = async (): Promise<Line> => {
    const { done, value } = await Promise.race([lines.next(), failed]);
    if (done === true) {
      // The signal has closed them.
      stage.signal.throwIfAborted();
      throw new Error(await ending(child));
    }
    const line = JSON.parse(value) as Line;
    if ('error' in line) throw new Error(line.error);
    return line;
  };
  const report = async (): Promise<Report> => {
    const line = await next();
    if ('report' in line) return line.report;
    throw new Error('the other process did not report');
  };
  return {
    pipes: ends,
    ready: async () => void (await next()),
    during: async (action) => {
      try {
        await action();
      } catch (error) {
        if (stage.signal.aborted) throw error;
        // A peer that failed has said why; one that is well will not end while we have failed.
        if (isIpcError(error, 'EPIPE')) await report();
        throw error;
      }
      return await report();
    },
    [Symbol.dispose]() {
      for (const end of Object.values(ends)) end.close();
    },
  };
}

async function ending(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const how = child.signalCode ?? `status ${child.exitCode}`;
  return `the other process ended before it reported (${how})`;
}

/**
 * The second process: does a row's `peer` and reports. Its errors travel in the report.
 *
 * @param row - what to do
 */
export async function runPeer(row: Row): Promise<void> {
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.exit(1), ORPHAN_CHECK).unref();
  using writer = pipe.PipeWriter.fromFd(REPORT_FD);
  const say = (line: Line): Promise<void> => writer.write(`${JSON.stringify(line)}\n`);
  const side: PeerSide = { ready: () => say({ ready: true }) };
  try {
    await say({ report: await row.peer(side) });
  } catch (error) {
    process.exitCode = 1;
    await say({ error: error instanceof Error ? error.message : String(error) }).catch(
      () => undefined,
    );
  }
}

/** What a peer received so far. */
export class Tally {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #parts = 0;

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.#parts += 1;
  }

  /** The report of a stream of bytes, whose parts are nobody's. */
  ofBytes(): Report {
    return { bytes: this.#bytes, messages: 0, digest: this.#hash.digest('hex') };
  }

  /** The report of a channel whose parts are messages. */
  ofMessages(): Report {
    return { bytes: this.#bytes, messages: this.#parts, digest: this.#hash.digest('hex') };
  }
}
