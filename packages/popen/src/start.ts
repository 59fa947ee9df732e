import { closeSync } from 'node:fs';

import type { Closable } from '@octoipc/core';
import { oneOf, valueError } from '@octoipc/core/kit';

import { programOf, type Command, type Program } from './command.js';
import { InputWriter } from './input.js';
import { settingsOf, type PopenOptions, type Settings } from './options.js';
import { OutputReader } from './output.js';
import { MODES, type Mode } from './mode.js';
import { Process } from './process.js';
import { Run, type Ends } from './run.js';
import { Kind, spawn } from './spawn.js';
import type { ChildHandle } from './child.js';

/** What 0, 1 and 2 of a child are to be. */
export interface Stdio {
  readonly stdin: StdioEnd;
  readonly stdout: StdioEnd;
  readonly stderr: 'inherit' | 'pipe' | 'ignore' | 'stdout';
}

/** A pipe to us, the parent's own, or a descriptor. */
type StdioEnd = 'pipe' | 'inherit' | 'ignore' | number;

/** Starts a command; see `popen`. */
export function start<const M extends Mode = 'r'>(
  command: Command,
  mode?: M,
  options?: PopenOptions,
): Process<M> {
  const program = programOf(command);
  const chosen: Mode = mode === undefined ? 'r' : oneOf(mode, 'mode', MODES);
  const settings = settingsOf(options);
  const { child, ends } = startWith(program, settings, {
    stdin: chosen === 'r' ? 'inherit' : 'pipe',
    stdout: chosen === 'w' ? 'inherit' : 'pipe',
    stderr: stderrOf(settings),
  });
  return new Process<M>(new Run(child, ends, settings, program.label));
}

/** Where stderr goes if nothing says so: whoever wants failures wants to know why. */
export function stderrOf(settings: Settings): Stdio['stderr'] {
  const redirected = settings.fds.some(([target]) => target === 2);
  return settings.stderr ?? (settings.check && !redirected ? 'pipe' : 'inherit');
}

/** Starts a program, and takes our ends of its pipes. */
export function startWith(
  program: Program,
  settings: Settings,
  stdio: Stdio,
): { child: ChildHandle; ends: Ends } {
  const triples = triplesOf(settings, stdio);
  const child = spawn(program, triples, settings);
  const made: Closable[] = [];
  const take = <T extends Closable>(fd: 0 | 1 | 2, of: (fd: number) => T): T | null => {
    if (!isPipe(triples, fd)) return null;
    const end = of(triples[3 * fd + 2]!);
    triples[3 * fd + 1] = Kind.ours;
    made.push(end);
    return end;
  };
  try {
    const ends: Ends = {
      stdin: take(0, (fd) => InputWriter.of(fd)),
      stdout: take(1, (fd) => OutputReader.of(fd)),
      stderr: take(2, (fd) => OutputReader.of(fd)),
    };
    return { child, ends };
  } catch (error) {
    // Without our ends nobody could ever end it.
    child.destroy();
    child.close();
    for (const end of made) end.close();
    for (const fd of [0, 1, 2] as const) {
      if (isPipe(triples, fd)) closeSync(triples[3 * fd + 2]!);
    }
    throw error;
  }
}

/** Of a child with no further descriptors: used again by each start, which is over when it returns. */
const USUAL = new Int32Array(9);

/** Whether one of the child's descriptors is a pipe, whose other end nobody has taken yet. */
function isPipe(triples: Int32Array, fd: 0 | 1 | 2): boolean {
  return triples[3 * fd + 1] === (fd === 0 ? Kind.reads : Kind.writes);
}

/** The child's descriptors as the native side takes them: 0, 1 and 2 first. */
function triplesOf(settings: Settings, { stdin, stdout, stderr }: Stdio): Int32Array {
  const wanted = [
    place(0, stdin),
    place(1, stdout),
    stderr === 'stdout' ? [2, Kind.same, 1] : place(2, stderr),
  ];
  for (const [target, fd] of settings.fds) {
    const name = `options.fds[${target}]`;
    const isTaken =
      target > 2 ? false : wanted[target]![1] !== Kind.ours || (target === 2 && settings.stderr);
    if (isTaken) throw valueError(name, 'must not be what is a pipe, or set, already', fd);
    wanted[target > 2 ? wanted.length : target] = [target, Kind.ours, fd];
  }
  const triples = wanted.length === USUAL.length / 3 ? USUAL : new Int32Array(3 * wanted.length);
  for (let i = 0; i < wanted.length; i++) triples.set(wanted[i]!, 3 * i);
  return triples;
}

function place(target: 0 | 1 | 2, end: StdioEnd): number[] {
  if (end === 'pipe') return [target, target === 0 ? Kind.reads : Kind.writes, 0];
  return end === 'ignore'
    ? [target, Kind.devNull, 0]
    : [target, Kind.ours, end === 'inherit' ? target : end];
}
