import { readFileSync } from 'node:fs';

import {
  errorOf,
  IpcError,
  optionalBoolean,
  optionsObject,
  typeError,
  valueError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EINVAL, ENOMEM, ENOSPC } from './errno.js';
import { statusOfFile } from './file-status.js';
import { checkSize } from './object-options.js';
import { NO_ROOM, type OpenedObject } from './posix-open.js';

/** How memory without a name is made. */
export interface MemfdOptions {
  /** What `/proc/PID/fd` and `/proc/PID/maps` call it; need not be unique. @default 'octoipc' */
  readonly name?: string | undefined;
  /** Its bytes; of huge pages a multiple of their size. */
  readonly size: number;
  /** Whether it can be sealed. @default true */
  readonly sealable?: boolean | undefined;
  /** Made of huge pages, of the system's usual size or of this one. @default false */
  readonly hugePages?: boolean | '2MB' | '1GB' | undefined;
}

const LONGEST = 249;
const DEFAULT_NAME = 'octoipc';

/** memfd_create(2). */
export function createMemfd(options: MemfdOptions): OpenedObject {
  if (options === undefined) throw typeError('options', 'an object with a size', options);
  const given = optionsObject<MemfdOptions>(options);
  const { name = DEFAULT_NAME, hugePages = false } = given;
  if (typeof name !== 'string') throw typeError('options.name', 'a string', name);
  if (name.includes('\0')) throw valueError('options.name', 'must not contain a NUL byte', name);
  const size = checkSize(given.size, 'options.size');
  const sealable = optionalBoolean(given.sealable, 'options.sealable') ?? true;
  const huge = hugeShift(hugePages);
  if (Buffer.byteLength(name) > LONGEST) {
    throw new IpcError('ENAMETOOLONG', {
      syscall: 'memfd_create',
      target: name,
      hint: `a name has ${LONGEST} bytes at most`,
    });
  }
  const page = hugePages === false ? 1 : hugePageSize(hugePages);
  if (size % page !== 0)
    throw valueError(
      'options.size',
      `must be a multiple of ${page}, the size of a huge page`,
      size,
    );
  const native = binding();
  const fd = native.memfdCreate(name, size, sealable, huge);
  if (fd < 0) throw createError(fd, name, huge !== 0);
  try {
    return {
      fd,
      status: statusOfFile(fd, 'name', { target: name }),
      target: name,
      temporary: undefined,
    };
  } catch (error) {
    native.close(fd);
    throw error;
  }
}

function createError(result: number, target: string, huge: boolean): IpcError {
  const syscall = 'memfd_create';
  if (!huge) {
    return errorOf(result, syscall, { target, hint: result === ENOSPC ? NO_ROOM : undefined });
  }
  const lacking = result === ENOMEM || result === ENOSPC || result === EINVAL;
  const hint = lacking
    ? 'there are not enough huge pages of that size: reserve some with `sysctl vm.nr_hugepages=N`'
    : undefined;
  return errorOf(result, syscall, { target, hint });
}

function hugeShift(hugePages: unknown): number {
  switch (hugePages) {
    case false:
      return 0;
    case true:
      return -1;
    case '2MB':
      return 21;
    case '1GB':
      return 30;
    default:
      throw valueError('options.hugePages', "must be a boolean, '2MB' or '1GB'", hugePages);
  }
}

const DEFAULT_HUGE_PAGE = 2 * 1024 * 1024;

function hugePageSize(hugePages: boolean | '2MB' | '1GB'): number {
  if (hugePages === '1GB') return 2 ** 30;
  if (hugePages === '2MB') return 2 ** 21;
  const kilobytes = /^Hugepagesize:\s*(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
  return kilobytes === undefined ? DEFAULT_HUGE_PAGE : Number(kilobytes) * 1024;
}
