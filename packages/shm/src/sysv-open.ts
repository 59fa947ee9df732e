import { randomInt } from 'node:crypto';

import type { IpcError } from '@octoipc/core';
import {
  check,
  codeOfErrno,
  errorOf,
  integer,
  ipcNamespace,
  registerReaper,
  Temporary,
  typeError,
  valueError,
  type ObjectIdentity,
  type Reaper,
} from '@octoipc/core/kit';

import { binding, type ShmBinding } from './binding.js';
import { EEXIST, EINVAL, ENOENT } from './errno.js';
import { ftok } from './ftok.js';
import type { CheckedOptions } from './object-options.js';
import { readStatus } from './sysv-status.js';

/** What names a System V segment: a key, a file and a number that make one, or nothing. */
export type SysvKey =
  number | 'private' | { readonly path: string; readonly project: number | string };

/** A segment that is not attached yet, and what makes it go again. */
export interface OpenedSegment {
  readonly id: number;
  readonly key: number;
  readonly target: string;
  readonly temporary: Temporary | undefined;
}

const KIND = 'sysv-shm';
const MOST_KEY = 0xffff_ffff;
const ATTEMPTS = 100;

/** shmget(2). */
export function openSegment(value: SysvKey, options: CheckedOptions): OpenedSegment {
  const { create, exclusive, temporary, mode, size = 0, readOnly } = options;
  const key = keyOf(value);
  const native = binding();
  if (key === 0) return openPrivate(native, options);
  const target = hex(key);
  const access = readOnly ? 0o400 : 0o600;
  for (let attempt = 1; ; attempt++) {
    if (!(create && exclusive)) {
      const id = native.sysvGet(signed(key), size, false, false, access, false);
      if (id >= 0) return { id, key, target, temporary: undefined };
      if (!create || id !== ENOENT) throw openError(id, target);
    }
    const made = make(native, key, { mode, size, temporary });
    if (typeof made !== 'number') return made;
    if (exclusive || made !== EEXIST || attempt === ATTEMPTS) throw openError(made, target);
  }
}

/** shmctl(IPC_RMID). */
export function removeSegment(id: number): void {
  const target = `id=${integer(id, 'id', 0, 0x7fff_ffff)}`;
  check(binding().sysvRemove(id), 'shmctl', { target });
}

function openPrivate(
  native: ShmBinding,
  { mode, size = 0, temporary, create }: CheckedOptions,
): OpenedSegment {
  if (!create)
    throw valueError('key', "'private' is always new: pass { create: true, size }", 'private');
  if (!temporary) {
    const id = native.sysvGet(0, size, true, true, mode, false);
    if (id < 0) throw openError(id, 'private');
    return { id, key: 0, target: `id=${id}`, temporary: undefined };
  }
  // A name is recorded before what it names is created, and a private segment has none before: a key
  // that nobody uses serves as well, and nobody knows it.
  for (let attempt = 1; ; attempt++) {
    const made = make(native, randomInt(1, MOST_KEY), { mode, size, temporary });
    if (typeof made !== 'number') return { ...made, target: `id=${made.id}` };
    if (made !== EEXIST || attempt === ATTEMPTS) throw openError(made, 'private');
  }
}

/** Creates a segment that is not there; its -errno where that fails. */
function make(
  native: ShmBinding,
  key: number,
  { mode, size, temporary }: { mode: number; size: number; temporary: boolean },
): OpenedSegment | number {
  const target = hex(key);
  const claim = temporary ? new Temporary(KIND, target, reaper) : undefined;
  const id = native.sysvGet(signed(key), size, true, true, mode, false);
  if (id < 0) {
    claim?.end();
    return id;
  }
  try {
    claim?.created({ id, namespace: ipcNamespace() });
  } catch (error) {
    // The record cannot be completed: then there is no segment either.
    native.sysvRemove(id);
    claim?.end();
    throw error;
  }
  return { id, key, target, temporary: claim };
}

function keyOf(value: unknown): number {
  if (value === 'private') return 0;
  if (typeof value === 'number') {
    integer(value, 'key', -0x8000_0000, MOST_KEY);
    if (value === 0) throw valueError('key', "must not be 0, IPC_PRIVATE: say 'private'", value);
    return value >>> 0;
  }
  if (typeof value === 'object' && value !== null && 'path' in value && 'project' in value) {
    return ftok(value.path as string, value.project as number);
  }
  throw typeError('key', "a number, 'private', or { path, project }", value);
}

/** As C has it, where a key is an int. */
function signed(key: number): number {
  return key | 0;
}

function hex(key: number): string {
  return `0x${key.toString(16).padStart(8, '0')}`;
}

function openError(result: number, target: string): IpcError {
  const hint =
    result === EINVAL
      ? 'what exists is smaller than options.size; or a new one would be larger than kernel.shmmax'
      : HINTS[codeOfErrno(result)];
  return errorOf(result, 'shmget', { target, hint });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such segment: pass { create: true, size } to make it',
  EEXIST: 'it exists: leave out `exclusive` to open it, or remove it first',
  EACCES: 'its mode does not let this user in: { readOnly: true } may be allowed',
  ENOSPC:
    'there are kernel.shmmni segments, or kernel.shmall pages: remove some, or raise the limit',
  ENOMEM: 'the system has not so much memory',
  ENOSYS: 'this kernel was built without System V IPC (CONFIG_SYSVIPC)',
};

/** How temporary segments are found, by their key, and removed, by `close` and by `reap`. */
const reaper: Reaper = {
  isOfNamespace: true,
  identify(name): ObjectIdentity | null {
    const id = find(name);
    if (id === ENOENT) return null;
    return { id: check(id, 'shmget', { target: name }), namespace: ipcNamespace() };
  },
  remove(name) {
    const id = check(find(name), 'shmget', { target: name });
    check(binding().sysvRemove(id), 'shmctl', { target: name });
  },
  remover: () => ({ call: 'shmctl', target: '' }),
  isOf(name, { pid, from, to }) {
    const id = find(name);
    const status = id < 0 ? id : readStatus(binding(), id);
    if (typeof status === 'number') return false;
    const { creatorPid, attachTime, changeTime } = status;
    return creatorPid === pid && attachTime === null && changeTime >= from && changeTime <= to;
  },
};

function find(name: string): number {
  return binding().sysvGet(signed(Number(name)), 0, false, false, 0, false);
}

registerReaper(KIND, reaper);
