import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  ShmBroadcast,
  ShmValue,
  type ShmBroadcastOptions,
  type ShmValueOptions,
} from '@octoipc/shm';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { missing } from './rings.js';

const freshName = (): string => `/octoipc-test-${process.pid}-${randomBytes(6).toString('hex')}`;

/** A broadcast for one test, under a name of its own. */
export function broadcast(options: Partial<ShmBroadcastOptions> = {}): {
  broadcast: ShmBroadcast;
  name: string;
} {
  const name = freshName();
  const made = ShmBroadcast.create(name, { capacity: 4096, temporary: true, ...options });
  onTestFinished(() => made.close());
  return { broadcast: made, name };
}

/** A value for one test, under a name of its own. */
export function value(options: Partial<ShmValueOptions> = {}): { value: ShmValue; name: string } {
  const name = freshName();
  const made = ShmValue.create(name, { maxSize: 64, temporary: true, ...options });
  onTestFinished(() => made.close());
  return { value: made, name };
}

/** The message of this number that peers send, from this seed. */
export function numbered(number: number, seed: number, longest: number): Buffer {
  const state = (Math.imul(number, 2_654_435_761) + seed) >>> 0;
  const message = Buffer.alloc(4 + (state % (longest - 3)));
  message.writeUInt32LE(number);
  for (let i = 4; i < message.length; i++) message[i] = (state + i * 7) & 0xff;
  return message;
}

/** The number of a message that is whole; else -1. */
export function numberOf(message: Buffer, seed: number, longest: number): number {
  if (message.length < 4) return -1;
  const number = message.readUInt32LE();
  return message.equals(numbered(number, seed, longest)) ? number : -1;
}

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
/** There in a file that compiles them. */
const folder = join(tmpdir(), `octoipc-racing-${randomUUID()}`);
const binary = (name: string): string => join(folder, name);

/** Compiles the peers in C and C++ before the tests of this file. */
export function compileRacingPeers(): void {
  beforeAll(() => {
    mkdirSync(folder);
    const warnings = ['-O2', '-Wall', '-Wextra', '-Werror'];
    if (!missing('cc')) {
      const flags = ['-std=gnu11', ...warnings, `-I${path('../include')}`];
      execFileSync('cc', [...flags, '-o', binary('C'), path('fixtures/racing-peer.c')]);
    }
    if (!missing('c++')) {
      const headers = [path('../native'), path('../../core/include')].map((each) => `-I${each}`);
      const flags = ['-std=c++20', ...warnings, ...headers];
      execFileSync('c++', [...flags, '-o', binary('native'), path('fixtures/racing-crash.cc')]);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));
}

/** Peers by their language: `PEER KIND NAME ROLE COUNT SEED`; those that can be killed, `FATAL`. */
export const racingPeers = {
  C: { tool: 'cc', command: [binary('C')] },
  native: { tool: 'c++', command: [binary('native')] },
  python: { tool: 'python3', command: ['python3', path('fixtures/racing-peer.py')] },
  ours: { tool: 'node', command: [process.execPath, path('fixtures/racing-peer.mjs')] },
} as const;

/** Starts a peer. */
export function startRacingPeer(
  language: keyof typeof racingPeers,
  ...args: readonly unknown[]
): Peer {
  const [file, ...first] = racingPeers[language].command;
  return Peer.start(file, [...first, ...args.map(String)]);
}

/** Starts a peer, which has joined when this resolves. */
export async function racingPeer(
  language: keyof typeof racingPeers,
  ...args: readonly unknown[]
): Promise<Peer> {
  const peer = startRacingPeer(language, ...args);
  await peer.line();
  return peer;
}
