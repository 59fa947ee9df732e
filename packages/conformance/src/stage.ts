import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

import type { ByteReader, ByteWriter, Closable, Receiver, Sender } from '@octoipc/core';

import type { Lock } from './lock.js';
import type { NamedOptions } from './named-object.js';
import type { Waitable } from './waitable.js';

/** What a mechanism supplies to the roles, each made when a role asks for it. */
export interface Actors {
  /** A thing to wait for, all of it in this process. */
  waitable?(): Waitable | Promise<Waitable>;
  /** How many of these one process may hold, where all processes share what there is; 200 unless told. */
  atOnce?: number;
  /** The writing end that the adapter's `startWriter` connected this process to. */
  writer?(): ByteWriter | Promise<ByteWriter>;
  /** The reading end that the adapter's `startReader` connected this process to. */
  reader?(): ByteReader | Promise<ByteReader>;
  /** The sending end that the adapter's `startSender` connected this process to. */
  sender?(): Sender | Promise<Sender>;
  /** The receiving end that the adapter's `startReceiver` connected this process to. */
  receiver?(): Receiver | Promise<Receiver>;
  /** Opens a named object. */
  named?(name: string, options: NamedOptions): Closable;
  /** Opens a lock. */
  lock?(name: string): Lock | Promise<Lock>;
}

/** Where a role plays: what it was told, and how it talks to the suite. */
export interface Stage {
  readonly role: string;
  readonly args: readonly string[];
  /** How many things to wait for there may be at once. */
  readonly atOnce: number;
  /** An actor, which the script must have. */
  actor<K extends Exclude<keyof Actors, 'atOnce'>>(name: K): NonNullable<Actors[K]>;
  /** Tells the suite a line, at once. */
  say(line: string): void;
  /** The next line that the suite tells; waits for it. */
  hear(): Promise<string>;
}

/** Roles by name. */
export type Roles = Readonly<Record<string, (stage: Stage) => Promise<void> | void>>;

/** The stage of this process or worker. */
export function theStage(actors: Actors): Stage {
  const [role = '', ...args] = isMainThread
    ? process.argv.slice(2)
    : (workerData as { role: string[] }).role;
  let lines: AsyncIterator<string> | undefined;
  return {
    role,
    args,
    atOnce: actors.atOnce ?? 200,
    actor(name) {
      const actor = actors[name];
      if (actor === undefined) {
        throw Object.assign(new TypeError(`the role '${role}' needs the actor '${name}'`), {
          code: 'ERR_INVALID_ARG_VALUE',
        });
      }
      return actor;
    },
    say(line) {
      if (parentPort === null) writeSync(1, `${line}\n`);
      else parentPort.postMessage(line);
    },
    async hear() {
      lines ??= createInterface(process.stdin)[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      return done === true ? '' : value;
    },
  };
}

/** Keeps the process alive until it is killed. */
export function hold(): void {
  setInterval(() => {}, 60_000);
}

/** Starts something whose end nobody awaits: a rejection is none of this role's business. */
export function unattended(promise: Promise<unknown>): void {
  promise.catch(() => {});
}
