import type { ChildProcess } from 'node:child_process';

import type { ByteReader, ByteWriter, Receiver, Sender } from '@octoipc/core';

import type { ScriptedAdapter } from './adapter.js';
import type { Suite } from './case.js';
import { byteCrashes } from './crash-safety-bytes.js';
import { messageCrashes } from './crash-safety-messages.js';

/** What a mechanism may lack when a peer dies. */
export type CrashSafetyTrait =
  /** It is a stream of bytes: `startWriter` and `startReader`. */
  | 'bytes'
  /** It is a channel of messages: `startSender` and `startReceiver`. */
  | 'messages'
  /** A reader gets `null` when the last writer died. */
  | 'end'
  /** A writer gets `EPIPE` when the last reader died. */
  | 'brokenPipe'
  /** It holds a bounded number of bytes or messages. */
  | 'bounded'
  /** Messages outlive the receiver: the next one gets them (`another`). */
  | 'persistent';

/**
 * Starts `process.execPath` with these arguments as the peer at the other end of a new stream or
 * channel; which descriptor or name it has there, the script's actors know. Standard output must be
 * a pipe to this process; standard input and error had best be.
 */
type Start<End> = (args: string[]) => Promise<{ child: ChildProcess } & End>;

/** How to connect a process of a script; the script has the actors of the peer. */
export interface CrashSafetyAdapter extends ScriptedAdapter<CrashSafetyTrait> {
  /** The peer is the actor `writer`. */
  readonly startWriter?: Start<{ reader: ByteReader }>;
  /** The peer is the actor `reader`. */
  readonly startReader?: Start<{ writer: ByteWriter }>;
  /** The peer is the actor `sender`. */
  readonly startSender?: Start<{ receiver: Receiver }>;
  /** The peer is the actor `receiver`; `another` opens a second receiver of the same channel. */
  readonly startReceiver?: Start<{ sender: Sender; another?: () => Receiver | Promise<Receiver> }>;
  /** Whatever a crash may leave behind that others can see: names, files. @default nothing */
  leftovers?(): readonly string[];
}

/** All cases of crashes. */
export const crashSafetySuite: Suite<CrashSafetyAdapter> = {
  trait: 'crash safety',
  cases: [...byteCrashes, ...messageCrashes],
};
