import { constants } from 'node:fs';

import {
  adopt,
  AGAIN,
  check,
  codeOfErrno,
  descriptor,
  errorOf,
  IpcError,
  valueError,
} from '@octoipc/core/kit';

import { binding, type PipeBinding } from './binding.js';

/**
 * One end of a pipe, owned by the binding, and how it is read or written without waiting.
 *
 * An end that we made is non-blocking. One that came from outside may share its open file description
 * with other processes, which would see O_NONBLOCK too (fcntl(2)): there each call says for itself that
 * it must not wait, and only a kernel that cannot do that (before Linux 6.5) makes us set the flag,
 * which is taken back when the end is closed or given away.
 *
 * A blocking call sleeps in read(2) or write(2) itself, which costs one system call where a poll(2) costs
 * three. It does so in the main thread only: a worker must notice that it is terminated, so it sleeps in
 * poll(2), a slice at a time. An end that we made goes to blocking mode at its first such call.
 */
export class PipeEnd {
  readonly fd: number;
  /** How errors name it: the descriptor, or the path that it was opened by. */
  readonly target: string | number;
  readonly binding: PipeBinding;
  readonly #adopted: boolean;
  #nowait: boolean;
  #ours: boolean;
  /** Calls that do not say otherwise sleep. */
  #sleeps: boolean;

  /**
   * @param fd - owned by the binding
   * @param mode - 'ours': made non-blocking by us; 'nonblocking': it came so; 'blocking': it came so
   * @param target - how errors name it
   */
  constructor(fd: number, mode: 'ours' | 'nonblocking' | 'blocking', target: string | number = fd) {
    this.fd = fd;
    this.target = target;
    this.binding = binding();
    this.#adopted = mode !== 'ours';
    this.#nowait = mode === 'blocking';
    this.#ours = mode === 'ours';
    this.#sleeps = mode === 'blocking' && this.binding.mainThread === 1;
  }

  /** read(2); -errno when it fails. */
  read(into: Uint8Array, offset: number, length: number): number {
    const result = this.binding.read(this.fd, into, offset, length, this.#nowait);
    return this.#lacksNowait(result)
      ? this.binding.read(this.fd, into, offset, length, false)
      : result;
  }

  /** write(2); -errno when it fails. */
  write(from: Uint8Array, offset: number, length: number): number {
    const result = this.binding.write(this.fd, from, offset, length, this.#nowait);
    return this.#lacksNowait(result)
      ? this.binding.write(this.fd, from, offset, length, false)
      : result;
  }

  /** read(2) that sleeps while there is nothing; -EAGAIN where this thread must not, or cannot. */
  readSleeping(into: Uint8Array, offset: number, length: number): number {
    if (!this.#sleeps) {
      const result = this.read(into, offset, length);
      if (result !== AGAIN || !this.#fallAsleep()) return result;
    }
    return this.binding.read(this.fd, into, offset, length, false);
  }

  /** write(2) that sleeps until everything is written; see {@link readSleeping}. */
  writeSleeping(from: Uint8Array, offset: number, length: number): number {
    if (!this.#sleeps) {
      const result = this.write(from, offset, length);
      if (result !== AGAIN || !this.#fallAsleep()) return result;
    }
    return this.binding.write(this.fd, from, offset, length, false);
  }

  /** Whether calls that do not say otherwise sleep: then those two need no further word. */
  get sleeps(): boolean {
    return this.#sleeps;
  }

  /** {@link readSleeping} into all of the memory, where this end {@link sleeps}. */
  fillSleeping(into: Uint8Array): number {
    const { filled } = this.binding.known;
    if (filled.isKnown(into)) return this.binding.fillAgain(this.fd);
    return this.binding.fill(this.fd, filled.know(into));
  }

  /** {@link writeSleeping} of all of the memory, where this end {@link sleeps}. */
  putSleeping(from: Uint8Array): number {
    const { put } = this.binding.known;
    if (put.isKnown(from)) return this.binding.putAgain(this.fd);
    return this.binding.put(this.fd, put.know(from));
  }

  /** Bytes that the pipe holds. */
  get capacity(): number {
    return check(this.binding.capacity(this.fd), 'fcntl', { target: this.target });
  }

  set capacity(bytes: number) {
    const result = this.binding.setCapacity(this.fd, bytes);
    if (result >= 0) return;
    throw errorOf(result, 'fcntl', {
      target: this.target,
      hint: CAPACITY_HINTS[codeOfErrno(result)],
    });
  }

  /** Before the end is given away: its next owner expects blocking mode, unless it came otherwise. */
  restore(): void {
    if (this.#ours) this.binding.setNonblocking(this.fd, false);
  }

  /** Before the end is closed: others may go on with the open file description that it came with. */
  restoreAdopted(): void {
    if (this.#ours && this.#adopted) this.binding.setNonblocking(this.fd, false);
  }

  /** To blocking mode: from now on each call that must not wait says so. */
  #fallAsleep(): boolean {
    if (this.binding.mainThread !== 1 || kernelLacksNowait) return false;
    if (!this.#ours || this.#nowait) return false;
    if (this.binding.setNonblocking(this.fd, false) < 0) return false;
    this.#nowait = true;
    this.#sleeps = true;
    return true;
  }

  #lacksNowait(result: number): boolean {
    if (result >= 0 || result === AGAIN || !this.#nowait) return false;
    const code = codeOfErrno(result);
    if (!NOWAIT_IS_LACKING.has(code)) return false;
    check(this.binding.setNonblocking(this.fd, true), 'fcntl', { target: this.target });
    this.#nowait = false;
    this.#ours = true;
    this.#sleeps = false;
    kernelLacksNowait = true;
    return true;
  }
}

let kernelLacksNowait = false;

/** How it is told: by a file, by the kernel, by a system that has no such call. */
const NOWAIT_IS_LACKING = new Set(['ENOTSUP', 'ENOSYS', 'ERR_UNSUPPORTED']);

const CAPACITY_HINTS: Readonly<Record<string, string>> = {
  EPERM: 'the capacity is over fs.pipe-max-size: raise it with sysctl, or ask for less',
  EBUSY: 'more bytes are in the pipe than would fit: read some first',
};

const ACCESS = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR;

/** What fstat(2) calls the things that are no pipe. */
const KINDS: Readonly<Record<number, string>> = {
  [constants.S_IFREG]: 'a regular file',
  [constants.S_IFDIR]: 'a directory',
  [constants.S_IFCHR]: 'a character device',
  [constants.S_IFBLK]: 'a block device',
  [constants.S_IFSOCK]: 'a socket',
};

/** What a subclass knows of the descriptor that it hands over. */
export interface Adoption {
  /** The path that it was opened by, for errors. */
  readonly target?: string | undefined;
  /**
   * It was opened non-blocking by us, as a pipe and as the end that it should be: nobody shares it, and its next owner
   * expects blocking mode.
   */
  readonly ours?: boolean | undefined;
}

/**
 * Takes over a descriptor that came from outside, if it is what it should be.
 *
 * @param fd - the descriptor
 * @param direction - which end of a pipe it must be
 * @param adoption - what is known of it
 * @returns the end, owned by the binding from now on
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a pipe
 * @throws {IpcError} EBADF when it is not open, or the other end; EEXIST when a handle owns it already
 */
export function adoptEnd(
  fd: number,
  direction: 'read' | 'write',
  { target, ours = false }: Adoption = {},
): PipeEnd {
  descriptor(fd);
  const name = target ?? fd;
  const native = binding();
  // Who has opened it has looked at what it is.
  const mode = ours ? 'ours' : cameAs(native, fd, direction, name);
  const adopted = ours ? native.adopt(fd) : adopt(native, fd);
  if (adopted < 0) {
    throw errorOf(adopted, 'fromFd', {
      target: name,
      hint:
        codeOfErrno(adopted) === 'EEXIST'
          ? 'another handle owns this descriptor: use that one, or release() it first'
          : undefined,
    });
  }
  const owned = ours ? fd : adopted;
  return new PipeEnd(owned, mode, target ?? owned);
}

/** In which mode a descriptor came, which must be that end of a pipe. */
function cameAs(
  native: PipeBinding,
  fd: number,
  direction: 'read' | 'write',
  name: string | number,
): 'blocking' | 'nonblocking' {
  const type = check(native.fileType(fd), 'fstat', { target: name });
  if (type !== constants.S_IFIFO) {
    throw valueError('fd', `must be a pipe, but is ${KINDS[type] ?? 'something else'}`, fd);
  }
  const flags = check(native.statusFlags(fd), 'fcntl', { target: name });
  const access = flags & ACCESS;
  const wrong = direction === 'read' ? constants.O_WRONLY : constants.O_RDONLY;
  if (access === wrong) {
    throw new IpcError('EBADF', {
      syscall: direction,
      target: name,
      hint: `this is the ${direction === 'read' ? 'write' : 'read'} end of a pipe`,
    });
  }
  return (flags & constants.O_NONBLOCK) === 0 ? 'blocking' : 'nonblocking';
}
