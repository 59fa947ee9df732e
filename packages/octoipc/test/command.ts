import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** The package's folder; a program that runs there finds `octoipc` as its users do. */
export const home = join(import.meta.dirname, '..');

/** The built command. */
export const command = join(home, 'dist', 'cli.js');

/**
 * The whole tour has some twenty rows, and a machine may have other work; an emulated one takes many times
 * as long, which OCTOIPC_PATIENCE tells.
 */
const WATCHDOG = 100_000 * Number(process.env['OCTOIPC_PATIENCE'] ?? 1);

/** Bytes: a list of 10,000 objects has some. */
const MOST_OUTPUT = 64 * 1024 * 1024;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node with these arguments to its end. */
export function node(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = {
      cwd: home,
      timeout: WATCHDOG,
      killSignal: 'SIGKILL',
      env: plain(),
      maxBuffer: MOST_OUTPUT,
    } as const;
    const child = execFile(process.execPath, args, options, (_, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** Runs the command to its end. */
export function octoipc(...args: readonly string[]): Promise<Ended> {
  return node(command, ...args);
}

/** Starts the command; it does not outlive the test. */
export function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [command, ...args], { cwd: home, env: plain() });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The environment of a user whose terminal and CI say nothing about colours. */
function plain(): NodeJS.ProcessEnv {
  const { CI: _, FORCE_COLOR: __, NO_COLOR: ___, NODE_OPTIONS: ____, ...rest } = process.env;
  return rest;
}

/** A temporary file: with this text, or so many bytes of zero. */
export function file(content: string | number): string {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'payload');
  writeFileSync(path, typeof content === 'string' ? content : '');
  if (typeof content === 'number') truncateSync(path, content);
  return path;
}
