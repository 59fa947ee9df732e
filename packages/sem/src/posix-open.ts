import {
  check,
  integer,
  optionalBoolean,
  optionsObject,
  type Temporary,
  unsupportedError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { posixName } from './name.js';
import { memoryAt, Region, type LockMemory } from './region.js';
import { SEM_VALUE_MAX, SemWords } from './sem-words.js';
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

/** How a named semaphore is opened. */
export interface SemaphoreOpenOptions extends NamedOpenOptions {
  /** Permits of a new one. @default 0 */
  readonly value?: number | undefined;
}

/** How a semaphore in memory is used. */
export interface SemaphoreAtOptions {
  /** Make it; nobody may use it yet. @default false */
  readonly init?: boolean | undefined;
  /** Permits of a new one. @default 0 */
  readonly value?: number | undefined;
}

/** A named semaphore, as anybody may see it. */
export interface SemaphoreInfo {
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** `null` where its mode does not let this user look. */
  readonly value: number | null;
}

/** An open semaphore, and what makes its name go again. */
export interface OpenedSemaphore {
  readonly region: Region;
  readonly words: SemWords;
  readonly target: string;
  readonly temporary: Temporary | undefined;
}

/** sem_overview(7): NAME_MAX less `sem.`. */
const LONGEST = 251;
/** sizeof(sem_t), with glibc and with musl. */
const SIZE = 32;
const GLIBC = 1;
/** glibc puts this third for a semaphore that processes share. */
const SHARED = 128;

const KIND: FileKind = {
  kind: 'posix-sem',
  syscall: 'sem_open',
  size: SIZE,
  // musl has no prefix.
  path: (name) => `/dev/shm/${prefix()}${name.slice(1)}`,
};
reaperOf(KIND);

function prefix(): string {
  return binding().semFlavour === GLIBC ? 'sem.' : '';
}

/** sem_open(3). */
export function openNamed(
  value: string,
  options: SemaphoreOpenOptions | undefined,
): OpenedSemaphore {
  const target = posixName(value, 'sem_open', LONGEST);
  const { value: permits = 0 } = optionsObject<SemaphoreOpenOptions>(options);
  integer(permits, 'options.value', 0, SEM_VALUE_MAX);
  const flavour = knownFlavour();
  const { fd, size, temporary } = openFile(KIND, target, options, () => contentOf(permits));
  try {
    const region = Region.ofFile(fd, SIZE, false, target);
    if (size !== SIZE || !isSemaphore(region.words, flavour)) {
      region.close();
      throw notOne(KIND, target, 'the file of this name in /dev/shm is no semaphore: remove it');
    }
    return { region, words: new SemWords(region.words, flavour), target, temporary };
  } catch (error) {
    temporary?.end();
    throw error;
  } finally {
    binding().close(fd);
  }
}

/** sem_init(3), or a semaphore that somebody else has made so. */
export function openAt(
  memory: LockMemory,
  byteOffset: number,
  options: SemaphoreAtOptions | undefined,
): OpenedSemaphore {
  const { init, value = 0 } = optionsObject<SemaphoreAtOptions>(options);
  optionalBoolean(init, 'options.init');
  integer(value, 'options.value', 0, SEM_VALUE_MAX);
  const flavour = knownFlavour();
  const bytes = memoryAt(memory, byteOffset, SIZE, binding().semAlign);
  const target = `at ${byteOffset}`;
  const region = Region.ofMemory(bytes);
  if (init === true)
    new Uint8Array(region.words.buffer, region.words.byteOffset, SIZE).set(contentOf(value));
  if (!isSharedSemaphore(region.words, flavour)) {
    region.close();
    throw notOne(
      KIND,
      target,
      'there is no semaphore that processes share: pass { init: true } once',
    );
  }
  return { region, words: new SemWords(region.words, flavour), target, temporary: undefined };
}

/** sem_unlink(3). */
export function unlinkNamed(value: string): void {
  unlinkFile(KIND, posixName(value, 'sem_unlink', LONGEST), 'sem_unlink');
}

/** The named semaphores of this system. */
export function listNamed(): SemaphoreInfo[] {
  const start = prefix();
  return listFiles(start, SIZE)
    .filter(({ status }) => status.size === SIZE)
    .map(({ file, path, status: { mode, uid, gid } }) => ({
      name: `/${file.slice(start.length)}`,
      mode: mode & 0o777,
      uid,
      gid,
      value: valueOf(path),
    }));
}

function valueOf(path: string): number | null {
  const bytes = firstBytes(path, SIZE);
  if (bytes === null) return null;
  return new SemWords(new Int32Array(bytes.buffer), binding().semFlavour).value;
}

function contentOf(value: number): Uint8Array {
  const content = new Uint8Array(SIZE);
  check(binding().semInit(content, value), 'sem_init');
  return content;
}

function knownFlavour(): number {
  const { semFlavour, semSize } = binding();
  if (semFlavour === 0 || semSize !== SIZE) {
    throw unsupportedError('PosixSemaphore', { hint: 'its layout is known on 64-bit Linux only' });
  }
  return semFlavour;
}

/** Whether these are a semaphore's words, which glibc shows by what is beside its value. */
function isSemaphore(words: Int32Array, flavour: number): boolean {
  if (!isSharedSemaphore(words, flavour)) return false;
  if (flavour !== GLIBC) return true;
  for (let at = 3; at < words.length; at++) if (words[at] !== 0) return false;
  return true;
}

function isSharedSemaphore(words: Int32Array, flavour: number): boolean {
  if (flavour !== GLIBC) return words[2] === 0;
  return words[0]! >= 0 && words[1]! >= 0 && words[2] === SHARED;
}
