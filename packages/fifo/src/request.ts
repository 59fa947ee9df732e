import {
  codeOfErrno,
  cString,
  errorOf,
  integer,
  optionalBoolean,
  optionsObject,
  type FdHandle,
} from '@octoipc/core/kit';

import { binding, type FifoBinding } from './binding.js';
import { mkfifo, mkfifoIfMissing, modeOf, TOO_MANY, type MkfifoOptions } from './name.js';
import { inspect } from './refusal.js';

/** What every opening takes. */
export interface OpenOptions extends MkfifoOptions {
  /** Make the FIFO if nothing has that name. @default false */
  readonly create?: boolean | undefined;
  /** With `create`: fail with EEXIST if something has that name. @default false */
  readonly exclusive?: boolean | undefined;
  /**
   * The uid of the one whose FIFO it must be; anybody else's is refused with EPERM.
   *
   * @default anybody's
   */
  readonly owner?: number | undefined;
}

/** The highest uid; the next one means nobody. */
const HIGHEST_UID = 0xffff_fffe;

/** How often a FIFO is made again that somebody removes before it is opened. */
const MOST_TRIES = 8;

/** Failures that say enough; behind any other there may be something that is no FIFO. */
const PLAIN: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENAMETOOLONG',
  'EMFILE',
  'ENFILE',
]);

/** One opening: checked arguments, and the steps that it takes. */
export class Request {
  readonly path: string;
  readonly #write: boolean;
  readonly #create: boolean;
  readonly #exclusive: boolean;
  readonly #mode: number;
  readonly #owner: number | undefined;

  constructor(path: string, access: 'read' | 'write', options: OpenOptions | undefined) {
    const { create, exclusive, mode, owner } = optionsObject(options);
    this.path = cString(path, 'path');
    this.#write = access === 'write';
    this.#create = optionalBoolean(create, 'options.create') ?? false;
    this.#exclusive = optionalBoolean(exclusive, 'options.exclusive') ?? false;
    this.#mode = modeOf({ mode });
    this.#owner = owner === undefined ? undefined : integer(owner, 'options.owner', 0, HIGHEST_UID);
  }

  /** How errors of this opening name it. */
  get details(): { syscall: string; target: string } {
    return { syscall: 'open', target: this.path };
  }

  /**
   * Opens without waiting, and makes the FIFO first if that was asked for.
   *
   * @returns a descriptor, owned by the binding; null if it is to be written to and nobody reads
   */
  open(): number | null {
    for (let tries = 1; ; tries++) {
      if (this.#create) this.#make();
      try {
        return this.#open();
      } catch (error) {
        const gone = this.#create && (error as NodeJS.ErrnoException).code === 'ENOENT';
        if (!gone || tries === MOST_TRIES) throw error;
      }
    }
  }

  /** A descriptor that stands for the FIFO and opens nothing, owned by the binding. */
  openPath(): number {
    const native = binding();
    return this.#inspected(native, this.#checked(native.openPath(this.path)));
  }

  /** A handle of its own for what was opened: it owns the descriptor from now on. */
  handOver<H extends FdHandle>(fd: number, make: (fd: number) => H): H {
    const native = binding();
    native.release(fd);
    try {
      return make(fd);
    } catch (error) {
      native.adopt(fd);
      native.close(fd);
      throw error;
    }
  }

  #make(): void {
    if (this.#exclusive) mkfifo(this.path, { mode: this.#mode });
    else mkfifoIfMissing(this.path, this.#mode);
  }

  #open(): number | null {
    const native = binding();
    const fd = native.open(this.path, this.#write);
    if (fd >= 0) return this.#owner === undefined ? fd : this.#inspected(native, fd);
    const code = codeOfErrno(fd);
    if (!PLAIN.has(code)) {
      // ENXIO is what a FIFO without readers gives, and a socket too; EINVAL stands for what is no FIFO.
      native.close(this.openPath());
      if (this.#write && code === 'ENXIO') return null;
    }
    return this.#checked(fd);
  }

  #checked(fd: number): number {
    if (fd >= 0) return fd;
    const hint = HINTS[codeOfErrno(fd)];
    throw errorOf(fd, 'open', { target: this.path, hint });
  }

  #inspected(native: FifoBinding, fd: number): number {
    try {
      inspect(native, fd, this.path, this.#owner);
      return fd;
    } catch (error) {
      native.close(fd);
      throw error;
    }
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'make it first: mkfifo(path), or { create: true }',
  EMFILE: TOO_MANY,
};
