import { constants, readlinkSync } from 'node:fs';

import { adopt, check, valueError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EBADF } from './errno.js';
import type { OpenedQueue, PosixAccess } from './posix-open.js';

/** Takes over a descriptor that came from outside, if it is a queue's. */
export function adoptPosix(fd: number): OpenedQueue {
  const native = binding();
  const mode = check(native.accessMode(fd), 'fcntl', { target: fd });
  if (native.posixAttributes(fd, new Float64Array(4)) === EBADF) {
    throw valueError('fd', 'must be the descriptor of a POSIX queue', fd);
  }
  const owned = check(adopt(native, fd), 'fromFd', { target: fd });
  return {
    name: nameOf(owned),
    fd: owned,
    access: accessOf(mode),
    temporary: undefined,
    adopted: true,
  };
}

function accessOf(mode: number): PosixAccess {
  if (mode === constants.O_RDONLY) return 'receive';
  return mode === constants.O_WRONLY ? 'send' : 'both';
}

function nameOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`).replace(/ \(deleted\)$/, '');
}
