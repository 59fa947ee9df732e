import type { ChildProcess } from 'node:child_process';

import type { Payload } from './payload.js';

/** One stop of the tour: a mechanism, and what is shown of it. */
export interface Mechanism {
  /** As its package is named: `pipe`. */
  readonly name: string;
  /** One sentence for somebody who meets it for the first time. */
  readonly purpose: string;
  readonly rows: readonly Row[];
}

/** One line of the tour's table: something that two processes do. */
export interface Row {
  /** Tells the rows of a mechanism apart, for the peer's command line. */
  readonly name: string;
  /** What is done, for the table: a few words. */
  readonly what: string;
  /** This process's side. What it waits for must end with `stage.signal`. */
  run(stage: Stage): Promise<Outcome>;
  /** The other process's side; what it returns is its report. */
  peer(side: PeerSide): Promise<Report>;
}

/** What a row gets to work with. */
export interface Stage {
  readonly payload: Payload;
  /** Aborts when the row takes too long, and when the tour is interrupted. */
  readonly signal: AbortSignal;
  /** The command line that runs this row's `peer`. */
  readonly peer: { readonly file: string; readonly args: readonly string[] };
  /** The other side is there: the clock starts. */
  begin(): void;
  /** So many bytes, or steps where no bytes move, have been made since the last call. */
  progress(amount: number): void;
  /** A process that must not outlive the row. */
  adopt(child: ChildProcess): void;
}

/** What the other process has to work with. */
export interface PeerSide {
  /** Tells this process that the other one is there. */
  ready(): Promise<void>;
}

/** What the other process says that it received. */
export interface Report {
  readonly bytes: number;
  /** 0 where the mechanism knows no messages. */
  readonly messages: number;
  /** SHA-256 of all bytes, in hexadecimal. */
  readonly digest: string;
}

/** What came of a row: the peer's report, or, where no bytes move, whether what it shows held. */
export type Outcome =
  (Report & { readonly held?: undefined }) | { readonly messages: number; readonly held: boolean };

/** A line of the table, and of `--json`. */
export interface RowResult {
  readonly mechanism: string;
  readonly what: string;
  readonly bytes: number;
  readonly messages: number;
  readonly milliseconds: number;
  readonly megabytesPerSecond: number;
  readonly verified: boolean;
  readonly error?: string;
}
