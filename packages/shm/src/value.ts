import type { Bytes, IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  bytes as bytesOf,
  closedError,
  integer,
  IpcError,
  optionsObject,
  ResourceHandle,
} from '@octoipc/core/kit';

import { Latest } from './latest.js';
import { handleIn, newPlace, placeOf } from './place.js';
import {
  AT,
  racingHeader,
  LARGEST,
  readRacing,
  slotFor,
  VALUE,
  type RacingGeometry,
} from './racing-layout.js';
import { openReaderBell, ringReaders, wantReaderBell } from './reader-bells.js';
import { ownIdentity } from './seat.js';
import { damageOf, MAGIC } from './shared-header.js';
import { SharedMemory } from './shared-memory.js';
import { closingBell, SharedWait, type BellKeeper, type Sleeper } from './shared-wait.js';

/** How a value is created. */
export interface ShmValueOptions {
  /** Bytes that it can have at most. */
  readonly maxSize: number;
  /** Permission bits, exact whatever the umask; for a name only. @default 0o600 */
  readonly mode?: number | undefined;
  /** The name goes when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
}

/**
 * A value that processes share: any of them sets it, and all read the latest state, which is never torn.
 *
 * Lifetime: the handle has the memory mapped until `close()`. The value is that of its memory: it outlives
 * all processes, until it is unlinked. A process that is killed while it sets it leaves the old state, or
 * the new one, and is in nobody's way.
 *
 * @example
 * ```js
 * import { ShmValue } from '@octoipc/shm';
 *
 * const config = ShmValue.create('/octoipc-doc-config', { maxSize: 1024, temporary: true });
 * config.get(); //=> null
 * const changed = config.changed(config.version);
 * config.set('{"level":3}');
 * await changed; //=> 1
 * String(config.get()); //=> '{"level":3}'
 * config.close();
 * ```
 * @see shm_overview(7), futex(2)
 */
export class ShmValue extends ResourceHandle {
  readonly #memory: SharedMemory;
  readonly #geometry: RacingGeometry;
  readonly #target: string | number;
  readonly #left: BellKeeper;
  readonly #own: bigint;
  #used: Latest | undefined;
  #alive = true;
  #waits: SharedWait | undefined;
  readonly #details: Readonly<Record<'get' | 'set', IpcErrorDetails>>;
  /** The low word of the version when we last looked. */
  #seen = 0;

  private constructor(memory: SharedMemory, target: string | number, geometry: RacingGeometry) {
    const left: BellKeeper = { bell: undefined };
    // Now: later there may be no descriptor left to find it out by.
    const own = ownIdentity(geometry.namespace, { syscall: 'mmap', target });
    // The memory is a handle, and goes by itself when this is forgotten.
    super(closingBell(left));
    this.#own = own;
    this.#left = left;
    this.#memory = memory;
    this.#target = target;
    this.#geometry = geometry;
    this.#details = { get: { syscall: 'get', target }, set: { syscall: 'set', target } };
  }

  /**
   * Creates a value, under a name or in memory that is there (zeroes, for instance of a memfd).
   *
   * @param where - a name, a slash and up to 254 bytes without one; or memory, of which it takes the first
   *   4096 bytes and room for two states
   * @throws {IpcError} EEXIST when there is something of that name, or the memory holds something
   * @throws {IpcError} ENOSPC when there is no room for it
   * @throws {RangeError} ERR_OUT_OF_RANGE when it does not fit into the memory
   */
  static create(where: string | SharedMemory, options: ShmValueOptions): ShmValue {
    const given = optionsObject<ShmValueOptions>(options);
    const longest = integer(given.maxSize, 'options.maxSize', 0, LARGEST);
    const size = slotFor(longest);
    const header = racingHeader(VALUE, { size, longest });
    const made = { size: VALUE.bytes(size), option: 'options.maxSize', header };
    const place = newPlace(where, made, given);
    return handleIn(place, ({ memory, target }) => ShmValue.#in(memory, target));
  }

  /**
   * Attaches to a value that another process has created; one that it is just creating is waited for.
   *
   * @throws {IpcError} ENOENT when there is nothing of that name; EACCES when its mode forbids it
   * @throws {IpcError} EBADMSG when it is no value, or of another version
   */
  static attach(where: string | SharedMemory): ShmValue {
    return handleIn(placeOf(where), ({ memory, target }) => ShmValue.#in(memory, target));
  }

  static #in(memory: SharedMemory, target: string | number): ShmValue {
    const geometry = readRacing(memory, VALUE, { syscall: 'mmap', target });
    return new ShmValue(memory, target, geometry);
  }

  /**
   * Removes a name; who has the value mapped goes on with it.
   *
   * @throws {IpcError} ENOENT when there is none
   */
  static unlink(name: string): void {
    SharedMemory.unlink(name);
  }

  /** Bytes that it can have at most. */
  get maxSize(): number {
    return this.#geometry.longest;
  }

  /** How often it was set; 0 if it never was. */
  get version(): number {
    this.#checkUse();
    return this.#latest.version;
  }

  /**
   * Sets it: from now on everybody gets this state.
   *
   * @param value - bytes, or a string as UTF-8
   * @throws {IpcError} EMSGSIZE when it has more than `maxSize` bytes
   * @throws {IpcError} EBUSY when another process has been in the middle of setting it for 100 ms: it is stopped
   * @throws {IpcError} EBADMSG when the value was wiped out: this handle is closed then
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  set(value: Bytes): void {
    const bytes = bytesOf(value, 'value');
    this.#checkUse();
    if (bytes.length > this.maxSize) {
      throw new IpcError('EMSGSIZE', {
        ...this.#details.set,
        hint: `it has ${bytes.length} bytes; the value was created for ${this.maxSize} at most`,
      });
    }
    if (this.#latest.words[MAGIC] !== VALUE.magic) throw this.#damage();
    const bits = this.#latest.set(bytes, this.#details.set);
    if (bits > 0) ringReaders(this.#latest.words, this.#geometry.id, bits);
    this.#checkIntact();
  }

  /**
   * The latest state.
   *
   * @returns its bytes, a copy; `null` if it was never set
   * @throws {IpcError} EBADMSG when the value is damaged: this handle is closed then
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  get(): Buffer | null {
    this.#checkUse();
    const bytes = this.#latest.get(this.#details.get);
    if (bytes === undefined) throw this.#damage();
    this.#checkIntact();
    return bytes;
  }

  /**
   * Waits until it has another version. What was set meanwhile more than once shows only its last state.
   *
   * @param sinceVersion - as `version` was
   * @returns the version that it has then
   * @throws {IpcError} ETIMEDOUT when the timeout is over; ERR_CLOSED when the handle is closed
   */
  changed(sinceVersion: number, options?: WaitOptions): Promise<number> {
    try {
      integer(sinceVersion, 'sinceVersion', 0);
      return this.#wait.run(() => this.#newer(sinceVersion), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Its version if that is another; `undefined` if it has not changed. */
  tryChanged(sinceVersion: number): number | undefined {
    integer(sinceVersion, 'sinceVersion', 0);
    const { version } = this;
    return version === sinceVersion ? undefined : version;
  }

  /** As `changed`, but blocks the calling thread. */
  changedSync(sinceVersion: number, options?: { readonly timeout?: number | undefined }): number {
    integer(sinceVersion, 'sinceVersion', 0);
    return this.#wait.runSync(() => this.#newer(sinceVersion), options);
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#keep(true);
  }

  /** Pending waits do not keep the process alive. */
  unref(): this {
    return this.#keep(false);
  }

  /** Unmaps the memory; pending waits reject with `ERR_CLOSED`. */
  override close(): void {
    if (this.closed) return;
    this.#fail(() => closedError(this.describe()));
    super.close();
    this.#memory.close();
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'futex', target: this.#target };
  }

  /** The views of its memory, from the first use on. */
  get #latest(): Latest {
    return this.#used ?? this.#use();
  }

  #use(): Latest {
    this.#used = new Latest(this.#memory, this.#geometry, this.#own);
    return this.#used;
  }

  get #wait(): SharedWait {
    return (this.#waits ??= this.#makeWait());
  }

  #keep(alive: boolean): this {
    this.#alive = alive;
    this.#waits?.ref(alive);
    return this;
  }

  #makeWait(): SharedWait {
    this.#checkUse();
    const { words } = this.#latest;
    const { id } = this.#geometry;
    let bell = -1;
    const sleeper: Sleeper = {
      words,
      sleepWord: AT.readersSleep / 4,
      magic: VALUE.magic,
      details: { syscall: 'futex', target: this.#target },
      checkUse: () => this.#checkUse(),
      isReady: () => Atomics.load(words, AT.newest / 4) !== this.#seen,
      mend: () => {},
      onlyLooks: true,
      damage: () => this.#damage(),
      openBell: () => {
        const opened = openReaderBell(id);
        bell = opened.number;
        return opened.fd;
      },
      wantBell: () => wantReaderBell(words, bell),
    };
    const waits = new SharedWait(sleeper, this.#left);
    waits.ref(this.#alive);
    return waits;
  }

  #fail(reason: () => Error): void {
    const waits = this.#waits;
    if (waits !== undefined && waits.waiting > 0) waits.fail(reason());
  }

  #newer(since: number): number | typeof BLOCKED {
    this.#seen = Atomics.load(this.#latest.words, AT.newest / 4);
    const { version } = this.#latest;
    this.#checkIntact();
    return version === since ? BLOCKED : version;
  }

  /** After an access: what was stored, or copied, is of pages that are gone where somebody has cut them off. */
  #checkIntact(): void {
    if (this.#memory.mapping.faulted) throw this.#damage();
  }

  #checkUse(): void {
    if (this.closed || this.#memory.closed) throw closedError(this.describe());
  }

  #damage(): Error {
    const error = damageOf(VALUE, this.#memory, this.describe());
    this.#fail(() => error);
    this.close();
    return error;
  }
}
