import { randomInt } from 'node:crypto';

import {
  check,
  codeOfErrno,
  errorOf,
  integer,
  ipcNamespace,
  type ObjectIdentity,
  optionalBoolean,
  optionsObject,
  type Reaper,
  registerReaper,
  Temporary,
  typeError,
  valueError,
} from '@octoipc/core/kit';
import type { IpcError } from '@octoipc/core';

import { binding, type MqBinding } from './binding.js';
import { EACCES, EEXIST, ENOENT } from './errno.js';
import { ftok } from './ftok.js';
import { readStatus } from './sysv-status.js';

/** What names a System V queue: a key, a file and a number that make one, or nothing. */
export type SysvKey =
  number | 'private' | { readonly path: string; readonly project: number | string };

/** How a System V queue is opened. */
export interface SysvOpenOptions {
  /** Create it if it is missing. @default false */
  readonly create?: boolean | undefined;
  /** Create it, and fail with `EEXIST` if it is there already. @default false */
  readonly exclusive?: boolean | undefined;
  /** Permission bits of a new queue. @default 0o600 */
  readonly mode?: number | undefined;
  /** A queue that this call creates goes when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
}

/** A queue, and what makes it go again. */
export interface OpenedSysvQueue {
  readonly id: number;
  readonly key: number;
  readonly target: string;
  readonly temporary: Temporary | undefined;
}

const KIND = 'sysv-mq';
const DEFAULT_MODE = 0o600;
const READING = 0o444;
const WRITING = 0o222;
const MOST_KEY = 0xffff_ffff;
const ATTEMPTS = 100;

/** msgget(2). */
export function openSysv(value: SysvKey, options: SysvOpenOptions | undefined): OpenedSysvQueue {
  const given = optionsObject<SysvOpenOptions>(options);
  const { mode = DEFAULT_MODE } = given;
  const exclusive = optionalBoolean(given.exclusive, 'options.exclusive') ?? false;
  const temporary = optionalBoolean(given.temporary, 'options.temporary') ?? false;
  const create = optionalBoolean(given.create, 'options.create') ?? (exclusive || temporary);
  integer(mode, 'options.mode', 0, 0o777);
  const key = keyOf(value);
  const native = binding();
  if (key === 0) return openPrivate(native, mode, temporary);
  const target = hex(key);

  for (let attempt = 1; ; attempt++) {
    if (!(create && exclusive)) {
      const id = find(native, key);
      if (id >= 0) return { id, key, target, temporary: undefined };
      if (!create || id !== ENOENT) throw openError(id, target);
    }
    const made = make(native, key, mode, temporary);
    if (typeof made !== 'number') return made;
    if (exclusive || made !== EEXIST || attempt === ATTEMPTS) {
      throw openError(made, target);
    }
  }
}

/** A queue by its id, as ipcs(1) shows it. */
export function adoptSysv(id: number): OpenedSysvQueue {
  const target = `id=${integer(id, 'id', 0, 0x7fff_ffff)}`;
  const status = readStatus(binding(), id);
  if (typeof status !== 'number') return { id, key: status.key, target, temporary: undefined };
  // Without permission to read there is no status, but there is a queue.
  if (status === EACCES) return { id, key: 0, target, temporary: undefined };
  throw errorOf(status, 'msgctl', { target, hint: 'there is no queue of this id' });
}

/** msgctl(IPC_RMID). */
export function removeSysv(id: number): void {
  const target = `id=${integer(id, 'id', 0, 0x7fff_ffff)}`;
  check(binding().sysvRemove(id), 'msgctl', { target });
}

function openPrivate(native: MqBinding, mode: number, temporary: boolean): OpenedSysvQueue {
  if (!temporary) {
    const id = native.sysvGet(0, true, true, mode);
    if (id < 0) throw openError(id, 'private');
    return { id, key: 0, target: `id=${id}`, temporary: undefined };
  }
  // A name is recorded before what it names is created, and a private queue has none before: a key
  // that nobody uses serves as well, and nobody knows it.
  for (let attempt = 1; ; attempt++) {
    const made = make(native, randomInt(1, MOST_KEY), mode, true);
    if (typeof made !== 'number') return { ...made, target: `id=${made.id}` };
    if (made !== EEXIST || attempt === ATTEMPTS) throw openError(made, 'private');
  }
}

/** Creates a queue that is not there; its -errno where that fails. */
function make(
  native: MqBinding,
  key: number,
  mode: number,
  temporary: boolean,
): OpenedSysvQueue | number {
  const target = hex(key);
  const claim = temporary ? new Temporary(KIND, target, reaper) : undefined;
  const id = native.sysvGet(signed(key), true, true, mode);
  if (id < 0) {
    claim?.end();
    return id;
  }
  try {
    claim?.created({ id, namespace: ipcNamespace() });
  } catch (error) {
    // The record cannot be completed: then there is no queue either.
    native.sysvRemove(id);
    claim?.end();
    throw error;
  }
  return { id, key, target, temporary: claim };
}

/** The id of a queue that this user may use somehow, or -errno. */
function find(native: MqBinding, key: number): number {
  const id = native.sysvGet(signed(key), false, false, READING);
  return id === EACCES ? native.sysvGet(signed(key), false, false, WRITING) : id;
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
  return errorOf(result, 'msgget', { target, hint: HINTS[codeOfErrno(result)] });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such queue: pass { create: true } to make it',
  EEXIST: 'it exists: leave out `exclusive` to open it, or remove it first',
  EACCES: 'the mode of the queue lets this user neither send nor receive',
  ENOSPC: 'there are kernel.msgmni queues: remove some, or raise /proc/sys/kernel/msgmni',
  ENOSYS: 'this kernel was built without System V IPC (CONFIG_SYSVIPC)',
};

/** How temporary queues are found, by their key, and removed, by `close` and by `reap`. */
const reaper: Reaper = {
  isOfNamespace: true,
  identify(name): ObjectIdentity | null {
    const id = binding().sysvGet(signed(Number(name)), false, false, 0);
    if (id === ENOENT) return null;
    return { id: check(id, 'msgget', { target: name }), namespace: ipcNamespace() };
  },
  remove(name) {
    const id = binding().sysvGet(signed(Number(name)), false, false, 0);
    check(id, 'msgget', { target: name });
    check(binding().sysvRemove(id), 'msgctl', { target: name });
  },
  remover: () => ({ call: 'msgctl', target: '' }),
};

registerReaper(KIND, reaper);
