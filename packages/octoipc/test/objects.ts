import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { home } from './command.js';

/** A name that nobody else has. */
export function uniqueName(): string {
  return `octoipc-cli-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A program that has told, as JSON in its first line, what it has made. */
export interface Maker<T> {
  readonly child: ChildProcess;
  readonly made: T;
  /** Lets it clean up and end. */
  end(): Promise<void>;
}

async function make<T>(file: string, args: readonly string[]): Promise<Maker<T>> {
  const peer = Peer.start(file, args, { cwd: home });
  const { child } = peer;
  const end = async (): Promise<void> => {
    child.stdin?.end();
    await peer.ended;
  };
  // Before it is killed, if it can.
  onTestFinished(end);
  return { child, made: await peer.report<T>(), end };
}

const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);

/** What fixtures/objects.py makes. */
export interface ForeignObjects {
  readonly pid: number;
  readonly pipe: number;
  readonly pair: number;
  readonly memfd: number;
  readonly unlinked: number;
}

/** Objects that a Python process has. */
export function foreignObjects(name: string, path: string): Promise<Maker<ForeignObjects>> {
  return make('python3', [fixture('objects.py'), name, path]);
}

/** What fixtures/locks.mjs makes. */
export interface OwnObjects {
  readonly pid: number;
  readonly queue: number;
}

/** Locks, rings and more that a Node process has. */
export function ownObjects(name: string): Promise<Maker<OwnObjects>> {
  return make(process.execPath, [fixture('locks.mjs'), `/${name}`]);
}

/** The id of a System V object that ipcmk(1) makes: -Q, -M bytes, or -S count. */
export function ipcmk(...args: readonly [kind: '-Q' | '-M' | '-S', ...rest: string[]]): number {
  const said = execFileSync('ipcmk', args, { encoding: 'utf8' });
  const id = /(\d+)\s*$/.exec(said)![1]!;
  const kind = { '-Q': 'msg', '-M': 'shm', '-S': 'sem' }[args[0]];
  onTestFinished(() => void spawnSync('ipcrm', [kind, id], { stdio: 'ignore' }));
  return Number(id);
}

/** The lines of a foreign program's output, split at blanks. */
export function rowsOf(file: string, ...args: readonly string[]): string[][] {
  return execFileSync(file, args, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
}

/** Why a test that needs these programs is skipped; undefined where they are there. */
export function lacks(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((name) => spawnSync('which', [name]).status !== 0);
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed`;
}
