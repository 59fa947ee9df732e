import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { popen, type Command, type Mode, type PopenOptions, type Process } from '@octoipc/popen';
import { onTestFinished } from 'vitest';

import { until } from '../../core/test/proc.js';

/** A program for one test. */
export function started<const M extends Mode = 'r'>(
  command: Command,
  mode?: M,
  options?: PopenOptions,
): Process<M> {
  const program = popen(command, mode, options);
  onTestFinished(async () => {
    if (program.status === null && !program.handle.closed) program.kill('SIGKILL');
    await program[Symbol.asyncDispose]();
  });
  return program;
}

/** A folder for one test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-popen-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Fields of /proc/PID/stat after the name; undefined when there is no such process. */
function stat(pid: number | string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Whether a process is there, and is no zombie. */
export function lives(pid: number): boolean {
  const state = stat(pid)?.[0];
  return state !== undefined && !'ZX'.includes(state);
}

/** Children of a process that have ended and were not waited for. */
export function zombies(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const [state, ppid] = stat(name) ?? [];
      return state === 'Z' && Number(ppid) === parent;
    })
    .map(Number);
}

/** Members of a process group that live. */
export function livingInGroup(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(stat(name)?.[2]) === group)
    .map(Number)
    .filter(lives);
}

/** The first line of a file, once it is there and whole. */
export async function lineOf(path: string): Promise<string> {
  await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'));
  return readFileSync(path, 'utf8').trimEnd();
}
