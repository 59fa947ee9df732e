import { createHash } from 'node:crypto';

import { optionalBoolean, optionsObject, type Temporary } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { Keeper } from './keeper.js';
import { KIND, KINDS, MAGIC, MAGIC_VALUE, type LockKind } from './lock-layout.js';
import { posixName } from './name.js';
import { memoryAt, Region, type LockMemory } from './region.js';
import {
  firstBytes,
  listFiles,
  notOne,
  openFile,
  reaperOf,
  unlinkFile,
  type FileKind,
  type NamedOpenOptions,
} from './shm-file.js';

/** How a lock in memory is used. */
export interface LockAtOptions {
  /** Make it; nobody may use it yet. @default false */
  readonly init?: boolean | undefined;
}

/** An open lock's memory, and what makes its name go again. */
export interface OpenedLock {
  readonly region: Region;
  readonly target: string;
  readonly temporary: Temporary | undefined;
}

/** A named lock, as anybody may see it. */
export interface LockFile {
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const LONGEST = 255;
/** Of a file's name. */
const NAME_MAX = 255;
/** Behind a named lock: its name, with a NUL. */
const NAME_ROOM = 256;
const ALIGNMENT = 8;

/** A number that the kind needs in its head: where, and which. */
export type Field = readonly [index: number, value: number];

function kindOf(kind: LockKind): FileKind {
  const prefix = `${kind}.`;
  return {
    kind,
    syscall: 'shm_open',
    size: KINDS[kind].size + NAME_ROOM,
    path(name) {
      const file = `${prefix}${name.slice(1)}`;
      if (Buffer.byteLength(file) <= NAME_MAX) return `/dev/shm/${file}`;
      // A name that is too long with its prefix: it is kept behind the lock.
      return `/dev/shm/${prefix}~${createHash('sha256').update(name).digest('hex')}`;
    },
  };
}

for (const kind of Object.keys(KINDS)) reaperOf(kindOf(kind as LockKind));

/** The name of a lock, checked. */
export function lockName(value: unknown, syscall: string): string {
  return posixName(value, syscall, LONGEST);
}

/** Opens a named lock, or creates it. */
export function openLock(
  kind: LockKind,
  value: string,
  options: NamedOpenOptions | undefined,
  fields: readonly Field[] = [],
): OpenedLock {
  const target = lockName(value, 'shm_open');
  const file = kindOf(kind);
  const content = (): Uint8Array => {
    // Where there can be no keeper, no file is left that nobody could use.
    Keeper.get();
    const bytes = new Uint8Array(file.size);
    initialise(new Int32Array(bytes.buffer), kind, fields);
    bytes.set(Buffer.from(target), KINDS[kind].size);
    return bytes;
  };
  const { fd, temporary } = openFile(file, target, options, content);
  try {
    const region = Region.ofFile(fd, KINDS[kind].size, true, target);
    if (!isLock(region.words, kind)) {
      region.close();
      throw notOne(file, target, `the file of this name in /dev/shm is no ${kind}: remove it`);
    }
    return { region, target, temporary };
  } catch (error) {
    temporary?.end();
    throw error;
  } finally {
    binding().close(fd);
  }
}

/** A lock in memory, made anew or by somebody else. */
export function lockAt(
  kind: LockKind,
  memory: LockMemory,
  byteOffset: number,
  options: LockAtOptions | undefined,
  fields: readonly Field[] = [],
): OpenedLock {
  const { init } = optionsObject<LockAtOptions>(options);
  optionalBoolean(init, 'options.init');
  const region = Region.ofMemory(memoryAt(memory, byteOffset, KINDS[kind].size, ALIGNMENT));
  const target = `at ${byteOffset}`;
  if (init === true) initialise(region.words, kind, fields);
  if (!isLock(region.words, kind)) {
    region.close();
    throw notOne(kindOf(kind), target, `there is no ${kind}: pass { init: true } once`);
  }
  return { region, target, temporary: undefined };
}

/** Removes a lock's name. */
export function unlinkLock(kind: LockKind, value: string): void {
  unlinkFile(kindOf(kind), lockName(value, 'shm_unlink'), 'shm_unlink');
}

/** The named locks of a kind, with what `look` finds in each that this user may open. */
export function listLocks<T>(
  kind: LockKind,
  look: (words: Int32Array) => T,
  unknown: T,
): (LockFile & T)[] {
  const { size, path: pathOf } = kindOf(kind);
  return listFiles(`${kind}.`, size).flatMap(({ file, path, status: { mode, uid, gid } }) => {
    const bytes = firstBytes(path, size);
    const status = { mode: mode & 0o777, uid, gid };
    const byFile = `/${file.slice(kind.length + 1)}`;
    if (bytes === null) return [{ name: byFile, ...status, ...unknown }];
    const words = new Int32Array(bytes.buffer);
    if (!isLock(words, kind)) return [];
    const room = Buffer.from(words.buffer, KINDS[kind].size, NAME_ROOM);
    const inside = room.toString('utf8', 0, Math.max(room.indexOf(0), 0));
    // Whoever made the file may have written any name into it.
    const name = pathOf(inside) === path ? inside : byFile;
    return [{ name, ...status, ...look(words) }];
  });
}

function initialise(words: Int32Array, kind: LockKind, fields: readonly Field[]): void {
  words.fill(0, 0, KINDS[kind].size / 4);
  words[KIND] = KINDS[kind].number;
  for (const [index, value] of fields) words[index] = value;
  Atomics.store(words, MAGIC, MAGIC_VALUE);
}

function isLock(words: Int32Array, kind: LockKind): boolean {
  return Atomics.load(words, MAGIC) === MAGIC_VALUE && words[KIND] === KINDS[kind].number;
}
