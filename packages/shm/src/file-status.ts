import { constants } from 'node:fs';

import type { IpcErrorDetails } from '@octoipc/core';
import { check, valueError, type ObjectIdentity } from '@octoipc/core/kit';

import { binding } from './binding.js';

/** What fstat(2), fcntl(2) and fstatfs(2) tell of a descriptor. */
export interface FileStatus {
  readonly size: number;
  /** Whether it is a file, as everything is that can be mapped here. */
  readonly isFile: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  /** The size of its pages. */
  readonly page: number;
  readonly identity: ObjectIdentity;
}

const NUMBERS = 8;

/** Looks at a descriptor. */
export function fileStatus(fd: number, details: IpcErrorDetails): FileStatus {
  const numbers = new Float64Array(NUMBERS);
  check(binding().fileStatus(fd, numbers), 'fstat', details);
  const [size = 0, mode = 0, , , dev = 0, ino = 0, access = 0, page = 0] = numbers;
  return {
    size,
    isFile: (mode & constants.S_IFMT) === constants.S_IFREG,
    readable: access === constants.O_RDONLY || access === constants.O_RDWR,
    writable: access === constants.O_RDWR,
    page,
    identity: { dev, ino },
  };
}

/** As `fileStatus`, of what must be a file. */
export function statusOfFile(fd: number, name: string, details: IpcErrorDetails): FileStatus {
  const status = fileStatus(fd, details);
  if (!status.isFile) {
    throw valueError(
      name,
      'must be of a file, a memfd or shared memory: nothing else is mapped',
      details.target,
    );
  }
  return status;
}
