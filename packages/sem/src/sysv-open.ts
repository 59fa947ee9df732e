import { randomInt } from 'node:crypto';

import {
  check,
  codeOfErrno,
  errorOf,
  integer,
  IpcError,
  ipcNamespace,
  type ObjectIdentity,
  optionalBoolean,
  optionsObject,
  rangeError,
  type Reaper,
  reapName,
  registerReaper,
  Temporary,
  typeError,
} from '@octoipc/core/kit';

import { binding, type SemBinding } from './binding.js';
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT } from './errno.js';
import type { NamedOpenOptions } from './shm-file.js';
import { hex, keyOf, signed, type SysvKey } from './sysv-key.js';
import { readSetStatus } from './sysv-status.js';

/** How a System V set is opened. */
export interface SysvSetOpenOptions extends NamedOpenOptions {
  /** Semaphores of a new set; an existing one must have at least so many. @default 1, or as many as `values` */
  readonly count?: number | undefined;
  /** Their values, in a new set. @default all 0 */
  readonly values?: readonly number[] | undefined;
}

/** A set, and what makes it go again. */
export interface OpenedSet {
  readonly id: number;
  readonly key: number;
  readonly count: number;
  readonly target: string;
  readonly temporary: Temporary | undefined;
}

/** SEMVMX of Linux. */
export const MOST_VALUE = 32_767;
/** SEMMSL of Linux; kernel.sem may allow less. */
const MOST_COUNT = 32_000;
const DEFAULT_MODE = 0o600;
const MOST_KEY = 0xffff_ffff;
const ATTEMPTS = 100;
/** So long is a set waited for that somebody else is making, who may have died meanwhile. */
const MAKING = 1000;
/** The set can be read, or written. */
const READING = 0o444;
const WRITING = 0o222;
const KIND = 'sysv-sem';

interface Wanted {
  readonly mode: number;
  readonly count: number | undefined;
  readonly values: readonly number[] | undefined;
  readonly temporary: boolean;
}

/** semget(2). */
export function openSet(value: SysvKey, options: SysvSetOpenOptions | undefined): OpenedSet {
  const given = optionsObject<SysvSetOpenOptions>(options);
  const { mode = DEFAULT_MODE, count, values } = given;
  const exclusive = optionalBoolean(given.exclusive, 'options.exclusive') ?? false;
  const temporary = optionalBoolean(given.temporary, 'options.temporary') ?? false;
  const create = optionalBoolean(given.create, 'options.create') ?? (exclusive || temporary);
  integer(mode, 'options.mode', 0, 0o777);
  if (count !== undefined) integer(count, 'options.count', 1, MOST_COUNT);
  const first = values === undefined ? undefined : valuesOf(values, count);
  const wanted = { mode, count: count ?? first?.length, values: first, temporary };
  const key = keyOf(value);
  const native = binding();
  if (key === 0) return openPrivate(native, wanted);
  const target = hex(key);

  for (let attempt = 1; ; attempt++) {
    if (!(create && exclusive)) {
      const id = find(native, key, wanted.count ?? 0);
      if (id >= 0) {
        const known = ready(native, id, target);
        if (known !== undefined) return { id, key, count: known, target, temporary: undefined };
        if (attempt < ATTEMPTS) continue;
        throw errorOf(EIDRM, 'semctl', { target, hint: 'it goes whenever it is looked at' });
      }
      if (!create || id !== ENOENT) throw openError(id, target);
    }
    const made = make(native, key, wanted);
    if (typeof made !== 'number') return made;
    if (exclusive || made !== EEXIST || attempt === ATTEMPTS) throw openError(made, target);
  }
}

/** A set by its id, as ipcs(1) shows it. */
export function adoptSet(id: number): OpenedSet {
  const target = `id=${integer(id, 'id', 0, 0x7fff_ffff)}`;
  const status = readSetStatus(binding(), id);
  if (typeof status === 'number') {
    throw errorOf(status, 'semctl', { target, hint: 'there is no set of this id to be read' });
  }
  return { id, key: status.key, count: status.count, target, temporary: undefined };
}

/** semctl(IPC_RMID). */
export function removeSet(id: number): void {
  const target = `id=${integer(id, 'id', 0, 0x7fff_ffff)}`;
  const native = binding();
  check(native.setControl(id, 0, native.IPC_RMID, 0), 'semctl', { target });
}

/** Values of a whole set, checked. */
export function valuesOf(values: unknown, count: number | undefined): readonly number[] {
  if (!Array.isArray(values) || values.length === 0) {
    throw typeError('values', 'an array of numbers', values);
  }
  if (count !== undefined && values.length !== count) {
    throw rangeError('values.length', `${count}, as many as there are semaphores`, values.length);
  }
  integer(values.length, 'values.length', 1, MOST_COUNT);
  return values.map((value, index) => integer(value, `values[${index}]`, 0, MOST_VALUE));
}

function openPrivate(native: SemBinding, wanted: Wanted): OpenedSet {
  if (!wanted.temporary) {
    const id = native.setGet(0, wanted.count ?? 1, true, true, wanted.mode);
    if (id < 0) throw openError(id, 'private');
    const target = `id=${id}`;
    try {
      initialise(native, id, wanted, target);
    } catch (error) {
      // Nobody else could find it.
      native.setControl(id, 0, native.IPC_RMID, 0);
      throw error;
    }
    return { id, key: 0, count: wanted.count ?? 1, target, temporary: undefined };
  }
  // A name is recorded before what it names is created, and a private set has none before: a key that
  // nobody uses serves as well, and nobody knows it.
  for (let attempt = 1; ; attempt++) {
    const made = make(native, randomInt(1, MOST_KEY), wanted);
    if (typeof made !== 'number') return { ...made, target: `id=${made.id}` };
    if (made !== EEXIST || attempt === ATTEMPTS) throw openError(made, 'private');
  }
}

/** Creates a set that is not there; its -errno where that fails. */
function make(native: SemBinding, key: number, wanted: Wanted): OpenedSet | number {
  const target = hex(key);
  const { count = 1, mode, temporary } = wanted;
  const claim = temporary ? new Temporary(KIND, target, reaper) : undefined;
  const id = native.setGet(signed(key), count, true, true, mode);
  if (id < 0) {
    claim?.end();
    return id;
  }
  try {
    claim?.created({ id, namespace: ipcNamespace() });
    initialise(native, id, wanted, target);
  } catch (error) {
    native.setControl(id, 0, native.IPC_RMID, 0);
    claim?.end();
    throw error;
  }
  return { id, key, count, target, temporary: claim };
}

/**
 * Sets the values, then says that the set is ready, in the way that everybody knows: sem_otime, which is 0
 * until the first semop(2). One that changes nothing sets it.
 */
function initialise(native: SemBinding, id: number, wanted: Wanted, target: string): void {
  const { count = 1, values } = wanted;
  const all = values === undefined ? new Int32Array(count) : Int32Array.from(values);
  check(native.setAllValues(id, all), 'semctl', { target });
  const last = all[0]!;
  const flags = native.IPC_NOWAIT;
  const nothing =
    last === 0
      ? [0, 0, flags]
      : last < MOST_VALUE
        ? [0, 1, flags, 0, -1, flags]
        : [0, -1, flags, 0, 1, flags];
  native.known.told.set(nothing);
  check(native.setOperate(id, nothing.length / 3, 0), 'semop', { target });
}

/** Waits until a set is ready; how many semaphores it has, or undefined when it is gone. */
function ready(native: SemBinding, id: number, target: string): number | undefined {
  const deadline = performance.now() + MAKING;
  for (;;) {
    const status = readSetStatus(native, id);
    // A set that may only be written cannot be asked.
    if (status === EACCES) return 0;
    if (status === EINVAL || status === EIDRM) return undefined;
    if (typeof status === 'number') throw errorOf(status, 'semctl', { target });
    if (status.operateTime !== null) return status.count;
    if (performance.now() > deadline) {
      // Its maker has died: then it is none's, and was never one.
      if (reapName(KIND, target)) return undefined;
      throw new IpcError('EAGAIN', {
        syscall: 'semget',
        target,
        text: 'the set was created and never initialised',
        hint: 'whoever made it has not used it yet (sem_otime is 0), or died: use fromId(), or remove it',
      });
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** The id of a set that this user may use somehow, or -errno. */
function find(native: SemBinding, key: number, count: number): number {
  const id = native.setGet(signed(key), count, false, false, READING);
  return id === EACCES ? native.setGet(signed(key), count, false, false, WRITING) : id;
}

function openError(result: number, target: string): IpcError {
  const hint =
    result === EINVAL ? 'the set has fewer semaphores than that' : HINTS[codeOfErrno(result)];
  return errorOf(result, 'semget', { target, hint });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such set: pass { create: true } to make it',
  EEXIST: 'it exists: leave out `exclusive` to open it, or remove it first',
  EACCES: 'the mode of the set does not let this user in',
  ENOSPC: 'a limit of kernel.sem is reached, of sets or of semaphores: remove some, or raise it',
  ENOSYS: 'this kernel was built without System V IPC (CONFIG_SYSVIPC)',
};

/** How temporary sets are found, by their key, and removed, by `close` and by `reap`. */
const reaper: Reaper = {
  isOfNamespace: true,
  identify(name): ObjectIdentity | null {
    const id = binding().setGet(signed(Number(name)), 0, false, false, 0);
    if (id === ENOENT) return null;
    return { id: check(id, 'semget', { target: name }), namespace: ipcNamespace() };
  },
  remove(name) {
    const id = binding().setGet(signed(Number(name)), 0, false, false, 0);
    removeSet(check(id, 'semget', { target: name }));
  },
  remover: () => ({ call: 'semctl', target: '' }),
  isOf(name, { pid, from, to }) {
    const native = binding();
    const id = native.setGet(signed(Number(name)), 0, false, false, 0);
    const status = id < 0 ? id : readSetStatus(native, id);
    if (typeof status === 'number' || status.operateTime !== null) return false;
    // Whoever has set a value, if anybody has.
    const last = native.setControl(id, 0, native.GETPID, 0);
    return (last === 0 || last === pid) && status.changeTime >= from && status.changeTime <= to;
  },
};

registerReaper(KIND, reaper);
