import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

import type { IpcError } from '@octoipc/core';
import { codeOfErrno, errorOf, inMainThread, Readiness, unsupportedError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { ChildHandle } from './child.js';
import { candidates, type Program } from './command.js';
import type { Settings } from './options.js';

/** What one of the child's descriptors is to be; the native side knows the same numbers. */
export const Kind = {
  /** A descriptor of ours, which is the value. */
  ours: 0,
  devNull: 1,
  /** A new pipe, whose other end becomes the value. */
  reads: 2,
  writes: 3,
  /** The same as another one of the child's, which is the value. */
  same: 4,
} as const;

/** Where a start can fail; the native side knows the same numbers. */
const Stage = {
  pipe: 1,
  clone: 2,
  group: 3,
  directory: 4,
  nice: 5,
  descriptor: 6,
  devNull: 7,
  limit: 8,
  program: 9,
  keeper: 10,
  kernel: 11,
} as const;

const FLAGS = { group: 1, dieWithParent: 2, inherit: 4 };
const KEEP_NICE = 1000;
const NOTHING = new Uint8Array(0);

const result = new Int32Array(4);

/**
 * Starts a program.
 *
 * @param program - what to start
 * @param stdio - triples of the child's number, kind and value; new pipes' values are filled in
 * @param settings - the rest
 * @returns the child, which runs: execve(2) has succeeded
 * @throws {IpcError} the error of the call that failed; no process and no descriptor is left then
 */
export function spawn(program: Program, stdio: Int32Array, settings: Settings): ChildHandle {
  const { cwd, env, limits, nice, group, dieWithParent } = settings;
  canWait();
  // The environment of a worker is not that of the process.
  const inherits = env === undefined && inMainThread();
  const status = binding().spawn(
    Buffer.from(candidates(program.file, env)),
    Buffer.from(`${program.argv.join('\0')}\0`),
    inherits ? NOTHING : environment(env ?? process.env),
    cwd === '' ? NOTHING : Buffer.from(`${cwd}\0`),
    stdio,
    limits.triples,
    nice ?? KEEP_NICE,
    (group ? FLAGS.group : 0) |
      (dieWithParent ? FLAGS.dieWithParent : 0) |
      (inherits ? FLAGS.inherit : 0),
    result,
  );
  const [pid, pidfd, stage, detail] = result as unknown as [number, number, number, number];
  if (status < 0) throw spawnError(status, stage, detail, program, settings);
  return new ChildHandle(pidfd, pid, group);
}

let isReady = false;

/** Waiting needs descriptors of its own: whoever has none left is told so before anything runs. */
function canWait(): void {
  isReady ||= Readiness.of(binding()).mode !== undefined;
}

function environment(env: Readonly<Record<string, string | undefined>>): Uint8Array {
  let block = '';
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined) block += `${name}=${value}\0`;
  }
  return Buffer.from(block);
}

/** Why a limit cannot be set. */
const LIMIT_HINTS: Readonly<Record<string, string>> = {
  EPERM: 'only a privileged process may raise a hard limit',
  EINVAL: 'the soft limit is over the hard one, which stays as it is unless both are given',
};

const TOO_MANY = 'close what is not needed, or raise the limit: ulimit -n (RLIMIT_NOFILE)';

/** What can be done about a program that cannot be executed. */
function programHint(code: string, file: string, cwd: string): string | undefined {
  switch (code) {
    case 'ENOENT':
      if (!file.includes('/')) return 'no directory of PATH has such a program';
      if (existsSync(isAbsolute(file) ? file : join(cwd, file))) {
        return 'the program is there, but not the interpreter that it names';
      }
      return cwd === '' && !isAbsolute(file) && isRemoved('.')
        ? 'the working directory of this process was removed: pass { cwd }'
        : 'there is no such program';
    case 'EACCES':
      return 'the program is a directory, or may not be executed, or may not be reached';
    case 'E2BIG':
      return 'arguments and environment are longer than the kernel takes: pass data by stdin or a file';
    case 'ETXTBSY':
      return 'somebody has the program open for writing';
    case 'ENOMEM':
      return 'options.limits may leave the program too little memory';
    default:
      return undefined;
  }
}

/** Whether a directory that is still in use has no name any more. */
function isRemoved(directory: string): boolean {
  return statSync(directory, { throwIfNoEntry: false })?.nlink === 0;
}

function spawnError(
  status: number,
  stage: number,
  detail: number,
  { file }: Program,
  { cwd, nice, limits }: Settings,
): IpcError {
  const code = codeOfErrno(status);
  const tooMany = code === 'EMFILE' ? TOO_MANY : undefined;
  switch (stage) {
    case Stage.pipe:
      return errorOf(status, 'pipe2', { hint: tooMany });
    case Stage.clone: {
      const busy = code === 'EAGAIN' ? 'there are too many processes: RLIMIT_NPROC, pids.max' : '';
      return errorOf(status, 'clone', { target: file, hint: tooMany ?? (busy || undefined) });
    }
    case Stage.group:
      return errorOf(status, 'setpgid', { target: file });
    case Stage.directory:
      return errorOf(status, 'chdir', {
        target: cwd,
        hint: code === 'ENOENT' ? 'the directory (cwd) is not there' : undefined,
      });
    case Stage.nice:
      return errorOf(status, 'setpriority', {
        target: nice,
        hint: 'only a privileged process may lower its niceness',
      });
    case Stage.descriptor:
      return errorOf(status, 'dup3', {
        target: detail,
        hint: code === 'EBADF' ? `what fds[${detail}] names is not open` : tooMany,
      });
    case Stage.devNull:
      return errorOf(status, 'open', { target: '/dev/null', hint: tooMany });
    case Stage.limit:
      return errorOf(status, 'setrlimit', {
        target: limits.names[detail],
        hint: LIMIT_HINTS[code],
      });
    case Stage.keeper:
      return errorOf(status, 'dieWithParent', { target: file, hint: tooMany });
    case Stage.kernel:
      return unsupportedError('waiting for a process by pidfd', {
        syscall: 'waitid',
        hint: 'it needs Linux 5.4 or later, and no sandbox that forbids pidfd_open(2)',
      });
    default:
      return errorOf(status, 'execve', { target: file, hint: programHint(code, file, cwd) });
  }
}
