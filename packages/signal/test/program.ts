import { expect } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const script = new URL('./fixtures/program.mjs', import.meta.url);

/** What a program says that watches: a line of JSON for each signal. */
export interface Seen {
  readonly signal: string;
  readonly value?: number;
  readonly pointer?: string;
  readonly pid: number;
  readonly uid: number;
  readonly code: number;
  readonly codeName: string;
  readonly status?: number;
  readonly coalesced: boolean;
  readonly command: string | null;
}

/** Another process, which is ready. */
export async function program(scene: string, ...args: readonly unknown[]): Promise<Peer> {
  const peer = Peer.node(script, [scene, ...args]);
  const said = await peer.line();
  if (said !== 'ready') throw new Error(`it said ${said}: ${peer.stderr}`);
  return peer;
}

/** Another process that says what comes. */
export function watching(...signals: readonly string[]): Promise<Peer> {
  return program('watch', signals.join(','));
}

/** A pid that nobody has: one that has just ended, and was waited for. */
export async function gonePid(): Promise<number> {
  const peer = Peer.start('true', []);
  await peer.ended;
  return peer.pid;
}

/** An error with these properties. */
export function failure(properties: object): unknown {
  return expect.objectContaining(properties);
}
