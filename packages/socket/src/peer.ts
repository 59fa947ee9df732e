import { readFileSync } from 'node:fs';

import type { WaitOptions } from '@octoipc/core';
import {
  IpcError,
  BLOCKED,
  check,
  codeOfErrno,
  errorOf,
  FdHandle,
  POLLIN,
  unsupportedError,
  waitOptions,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { AF_UNIX, SO_PEERCRED, SOL_SOCKET } from './constants.js';
import type { SocketEnd } from './end.js';

/** Who is at the other end, as the kernel vouches for it. */
export interface Peer {
  /** 0 where it has no number here: it is outside of this process's pid namespace. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The user of a socket without a peer: -1. */
const NOBODY = 0xffff_ffff;

/**
 * Of numbers as the kernel gives them, a peer; null where there is none.
 *
 * @param nobody - the user of who is none, whose pid is 0 as that of one from another pid namespace is
 */
export function peerOf(
  pid: number,
  uid: number,
  gid: number,
  nobody: number = NOBODY,
): Peer | null {
  if (pid < 0 || (pid === 0 && uid >>> 0 === nobody)) return null;
  return { pid, uid: uid >>> 0, gid: gid >>> 0 };
}

/** SO_PEERCRED: who was at the other end when it connected or began to listen; null over TCP. */
export function peerCredentials(fd: number): Peer | null {
  const out = new Int32Array(3);
  const result = binding().getOption(fd, SOL_SOCKET, SO_PEERCRED, new Uint8Array(out.buffer));
  if (result < 0 && codeOfErrno(result) !== 'ENOPROTOOPT') {
    throw errorOf(result, 'getsockopt', { target: fd });
  }
  return result < 0 ? null : peerOf(out[0]!, out[1]!, out[2]!);
}

/**
 * The process at the other end, by a descriptor of the process itself (pidfd): its pid may come to mean
 * another process, this never does.
 *
 * @example
 * ```js
 * import { socketPair } from '@octoipc/socket';
 *
 * const [left, right] = socketPair();
 * const process_ = left.peerProcess();
 * process_.pid === process.pid; //=> true
 * process_.alive; //=> true
 * process_.close();
 * left.close();
 * right.close();
 * ```
 * @see pidfd_open(2)
 */
export class PeerProcess extends FdHandle {
  /** Its pid, for people to read; 0 where it has none here. */
  readonly pid: number;

  private constructor(fd: number, pid: number) {
    super(fd, binding());
    this.pid = pid;
  }

  /**
   * SO_PEERPIDFD.
   *
   * @internal
   */
  static of({ binding: native, fd: socket, domain, target }: SocketEnd): PeerProcess {
    if (domain !== AF_UNIX) throw unsupported(target);
    const fd = native.peerPidfd(socket);
    if (fd < 0) throw refusal(fd, target);
    let pid = -1;
    try {
      pid = pidOf(fd, target);
    } finally {
      if (pid < 0) native.close(fd);
    }
    if (pid < 0) throw gone(target);
    return new PeerProcess(fd, pid);
  }

  /** Whether it runs; one that has ended and was not yet waited for by its parent does not. */
  get alive(): boolean {
    return check(binding().poll(this.fd, POLLIN, 0), 'poll', { target: this.pid }) === 0;
  }

  /**
   * Waits until it has ended.
   *
   * @param options - how long
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  exited(options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      const { fd } = this;
      const attempt = (): void | typeof BLOCKED => {
        if (check(binding().poll(fd, POLLIN, 0), 'poll', { target: this.pid }) === 0)
          return BLOCKED;
      };
      return this.queue('readable').run(attempt, wait, { details: this.describe() });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  protected override describe(): { syscall: string; target: number } {
    return { syscall: 'poll', target: this.pid };
  }
}

/** The pid in a pidfd's fdinfo; -1 once the process was waited for, 0 from another pid namespace. */
function pidOf(pidfd: number, target: string | number): number {
  let text: string;
  try {
    text = readFileSync(`/proc/self/fdinfo/${pidfd}`, 'latin1');
  } catch (error) {
    const { errno, syscall = 'open' } = error as NodeJS.ErrnoException;
    throw errno === undefined ? error : errorOf(errno, syscall, { target });
  }
  return Number(/^Pid:\s*(-?\d+)/m.exec(text)?.[1] ?? -1);
}

function gone(target: string | number): IpcError {
  return new IpcError('ESRCH', {
    syscall: 'getsockopt',
    target,
    text: 'the peer has ended',
  });
}

function unsupported(target: string | number): IpcError {
  return unsupportedError('SO_PEERPIDFD', {
    syscall: 'getsockopt',
    target,
    hint: 'it needs Linux 6.5 and a Unix socket',
  });
}

/** 'The kernel is too old' and 'the peer has ended' are told apart. */
function refusal(result: number, target: string | number): IpcError {
  const code = codeOfErrno(result);
  if (code === 'ENOPROTOOPT') return unsupported(target);
  // Linux 6.5 to 6.14 refuse a pidfd of a process that was waited for.
  if (code === 'EINVAL' || code === 'ESRCH') return gone(target);
  return errorOf(result, 'getsockopt', { target });
}
