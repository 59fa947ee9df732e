import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ShmRing, type ShmRingOptions } from '@octoipc/shm';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

import { Peer } from '../../core/test/peer.js';

/** A ring for one test, under a name of its own. */
export function ring(options: Partial<ShmRingOptions> = {}): { ring: ShmRing; name: string } {
  const name = `/octoipc-test-${process.pid}-${randomBytes(6).toString('hex')}`;
  const made = ShmRing.create(name, { capacity: 4096, temporary: true, ...options });
  onTestFinished(() => made.close());
  return { ring: made, name };
}

/** Another mapping of a ring, for one test. */
export function attach(name: string): ShmRing {
  const attached = ShmRing.attach(name);
  onTestFinished(() => attached.close());
  return attached;
}

/** The numbers that peers make their messages of. */
export function* numbers(seed: number): Generator<number> {
  let state = seed >>> 0;
  for (;;) {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    yield state;
  }
}

/** The messages that peers send, from this seed. */
export function* messages(seed: number, maxMessageSize: number): Generator<Buffer> {
  for (const state of numbers(seed)) {
    const message = Buffer.alloc(state % (maxMessageSize + 1));
    for (let i = 0; i < message.length; i++) message[i] = (state + i * 7) & 0xff;
    yield message;
  }
}

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
/** There in a file that compiles the peer. */
const folder = join(tmpdir(), `octoipc-ring-${randomUUID()}`);
const program = join(folder, 'ring-peer');

/** Whether a tool is missing, which is said. */
export function missing(tool: string): boolean {
  const lacks = spawnSync(tool, ['--version']).error !== undefined;
  if (lacks) console.log(`skipped: ${tool} is not installed`);
  return lacks;
}

/** Compiles the peer in C before the tests of this file. */
export function compilePeer(): void {
  beforeAll(() => {
    mkdirSync(folder);
    // Other users may have to run what is in it.
    chmodSync(folder, 0o755);
    if (missing('cc')) return;
    const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', `-I${path('../include')}`];
    execFileSync('cc', [...flags, '-o', program, path('fixtures/ring-peer.c')]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
}

/** Peers by their language: `PEER NAME send|receive COUNT SEED`. */
export const peers = {
  C: { tool: 'cc', command: [program] },
  python: { tool: 'python3', command: ['python3', path('fixtures/ring-peer.py')] },
  ours: { tool: 'node', command: [process.execPath, path('fixtures/ring-crash.mjs')] },
} as const;

/** Starts a peer. */
export function peer(language: keyof typeof peers, ...args: readonly unknown[]): Peer {
  const [file, ...first] = peers[language].command;
  return Peer.start(file, [...first, ...args.map(String)]);
}

/** More stores than any scene makes. */
const MOST_STORES = 200;

/**
 * Plays a scene whose victim is killed after its first store, its second, and so on, until one has made fewer
 * and lives: no store goes untried, however many there are.
 *
 * @param play - tells whether the victim was killed
 * @returns how many were
 */
export async function killAfterEach(play: (fatal: number) => Promise<boolean>): Promise<number> {
  for (let fatal = 1; fatal <= MOST_STORES; fatal++) {
    if (!(await play(fatal))) return fatal - 1;
  }
  throw new Error(`it makes more than ${MOST_STORES} stores`);
}
