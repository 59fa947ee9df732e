import type ChildProcesses from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';

import { cString, errorOf, integer, oneOf, typeError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { PipeEnd } from './end.js';
import { openPipe } from './pipe.js';
import { PipeReader } from './reader.js';
import { PipeWriter } from './writer.js';

/** Which end the child gets under a number: it reads there, or it writes there. */
type ChildEnd = 'read' | 'write';

/** What spawnWithPipes takes beside the options of `child_process.spawn`. */
export interface SpawnWithPipesOptions<
  P extends Readonly<Record<number, ChildEnd>>,
> extends SpawnOptions {
  /** The child's descriptors by number, 0 to 255: `{ 3: 'read' }` lets the child read from its fd 3. */
  readonly pipes: P;
}

/** A child and the parent's ends of its pipes. */
export interface SpawnedWithPipes<P extends Readonly<Record<number, ChildEnd>>> {
  readonly child: ChildProcess;
  /** Under the child's number, the opposite end: a writer where the child reads. */
  readonly pipes: { readonly [fd in keyof P]: P[fd] extends 'read' ? PipeWriter : PipeReader };
}

const HIGHEST_FD = 255;

/**
 * Starts a program that has ends of new kernel pipes under the numbers that you choose. They are real
 * pipes, not the socketpairs of `child_process`, so `/dev/stdin` and `/dev/stdout` can be opened in the
 * child, and a writer whose reader leaves is ended by SIGPIPE. Each side holds its own ends only, so the
 * end of file comes when it should.
 *
 * @param file - the program
 * @param args - its arguments
 * @param options - `pipes`, and what `child_process.spawn` takes; numbers that neither `pipes` nor
 *   `stdio` names are as `stdio` has them by default: 0 to 2 ignored, the others closed
 * @returns the child, and the parent's ends under the same numbers; when the program cannot be started
 *   the child emits 'error', as with `spawn`, and the pipes are at their end
 * @throws {IpcError} EMFILE when this process has too many descriptors
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when a pipe is neither 'read' nor 'write'
 * @example
 * ```js
 * import { spawnWithPipes } from '@octoipc/pipe';
 *
 * const { pipes } = spawnWithPipes('tr', ['a-z', 'A-Z'], { pipes: { 0: 'read', 1: 'write' } });
 * await pipes[0].write('hello');
 * pipes[0].close();
 * String(await pipes[1].readAll()); //=> 'HELLO'
 * pipes[1].close();
 * ```
 * @see pipe2(2), execve(2)
 */
export function spawnWithPipes<const P extends Readonly<Record<number, ChildEnd>>>(
  file: string,
  args: readonly string[],
  options: SpawnWithPipesOptions<P>,
): SpawnedWithPipes<P> {
  cString(file, 'file');
  if (typeof options !== 'object' || options === null) {
    throw typeError('options', 'an object with pipes', options);
  }
  const { pipes, ...spawnOptions } = options;
  const wanted = childEnds(pipes);
  const stdio = stdioOf(spawnOptions.stdio);
  const parents: Record<number, PipeReader | PipeWriter> = {};
  const childFds: number[] = [];
  try {
    for (const [fd, end] of wanted) {
      const { reader, writer } = openPipe({ reader: end === 'write', writer: end === 'read' });
      const [theirs, ours] = end === 'read' ? [reader, writer] : [writer, reader];
      childFds.push(theirs);
      const handle = new PipeEnd(ours, 'ours');
      parents[fd] = end === 'read' ? PipeWriter.over(handle) : PipeReader.over(handle);
      while (stdio.length < fd) stdio.push('ignore');
      stdio[fd] = theirs;
    }
    const child = started(file, args, { ...spawnOptions, stdio });
    return { child, pipes: parents as SpawnedWithPipes<P>['pipes'] };
  } catch (error) {
    for (const parent of Object.values(parents)) parent.close();
    throw error;
  } finally {
    for (const fd of childFds) binding().close(fd);
  }
}

/** What cannot even be tried, a user that one may not become or a descriptor that is none, throws at once. */
function started(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawner()(file, args, options);
  } catch (cause) {
    const { code, errno, syscall } = cause as NodeJS.ErrnoException;
    // Node's checks compare options with numbers, which throws by itself where one is a BigInt.
    if (code === undefined && cause instanceof TypeError) {
      throw Object.assign(cause, { code: 'ERR_INVALID_ARG_TYPE' });
    }
    if (errno === undefined || syscall === undefined) throw cause;
    throw errorOf(errno, syscall, { target: file, cause });
  }
}

/** child_process brings half of Node along: it is loaded at the first use, not at import. */
function spawner(): typeof ChildProcesses.spawn {
  return (require('node:child_process') as typeof ChildProcesses).spawn;
}

function childEnds(pipes: unknown): [fd: number, end: ChildEnd][] {
  if (typeof pipes !== 'object' || pipes === null) {
    throw typeError('options.pipes', "an object such as { 3: 'read' }", pipes);
  }
  return Object.entries(pipes).map(([key, end]) => [
    integer(
      /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : key,
      'a key of options.pipes',
      0,
      HIGHEST_FD,
    ),
    oneOf(end, `options.pipes[${key}]`, ['read', 'write']),
  ]);
}

function stdioOf(stdio: SpawnOptions['stdio']): Exclude<SpawnOptions['stdio'], string | undefined> {
  if (Array.isArray(stdio)) {
    const length = Math.max(3, stdio.length);
    return Array.from({ length }, (_, fd) => stdio[fd] ?? 'ignore');
  }
  const all = stdio ?? 'ignore';
  if (typeof all !== 'string') throw typeError('options.stdio', 'a string or an array', stdio);
  return all === 'overlapped' ? ['overlapped', 'overlapped', 'overlapped'] : [all, all, all];
}
