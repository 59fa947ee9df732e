import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Another process, which ends with the test at the latest. */
export interface Peer {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves with its next line of output. */
  line(): Promise<string>;
  /** Ends its standard input. */
  release(): void;
  kill(signal?: NodeJS.Signals): void;
}

/** Starts a program. */
export function start(file: string, args: readonly string[], env = {}): Peer {
  const child = spawn(file, args, { stdio: 'pipe', env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const chunks: Buffer[] = [];
  let stderr = '';
  let told = 0;
  let wake = (): void => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      wake();
      resolve({ code, signal, stdout: Buffer.concat(chunks), stderr });
    });
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid!,
    ended,
    async line() {
      for (;;) {
        const lines = Buffer.concat(chunks).toString().split('\n');
        if (lines.length > told + 1) return lines[told++]!;
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the peer ended and said no more: ${stderr}`);
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    release: () => child.stdin.end(),
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  };
}

/** A shell script, whose $0 is the path. */
export function shell(script: string, path: string, ...more: readonly string[]): Peer {
  return start('sh', ['-c', script, path, ...more]);
}

/** A script of test/fixtures. */
export function fixture(name: string, ...args: readonly string[]): Peer {
  const file = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  return start(process.execPath, ['--expose-gc', file, ...args]);
}

/**
 * Whether a thread sleeps in open(2) of a FIFO: the kernel tells by the name of its wait; one that tells
 * nobody ('0') tells at least that it sleeps.
 */
export function blocksInOpen(thread: string | number): boolean {
  try {
    const wait = readFileSync(`/proc/${thread}/wchan`, 'latin1');
    if (wait !== '0') return wait === 'wait_for_partner';
    return /^State:\s+S/m.test(readFileSync(`/proc/${thread}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** Whether a thread of this process does. */
export function someThreadBlocks(): boolean {
  return readdirSync('/proc/self/task').some((task) => blocksInOpen(`self/task/${task}`));
}

/** Lets the event loop turn until something is so; the test's watchdog ends what never is. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn();
}
