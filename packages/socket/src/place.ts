import { lstatSync, readFileSync, statSync, unlinkSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { IpcError, check, codeOfErrno, cString, errorOf } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { AF_UNIX, SOCK_STREAM } from './constants.js';
import { makeSocket, type SocketEnd } from './end.js';
import {
  addressObject,
  encodeAddress,
  LONGEST_PATH,
  type PathAddress,
  type SocketAddress,
} from './sockaddr.js';

/**
 * An address as the kernel shall see it, and the descriptor of the directory that it goes through, if
 * any.
 */
export class Route {
  readonly bytes: Uint8Array;
  #directory = -1;

  /** @throws {IpcError} ENAMETOOLONG when a path is over 107 bytes and does not go through a directory */
  constructor(address: SocketAddress) {
    addressObject(address);
    if (!('path' in address) || address.viaDirectory !== true) {
      this.bytes = encodeAddress(address);
      return;
    }
    const path = cString(address.path, 'address.path');
    if (Buffer.byteLength(path) <= LONGEST_PATH) {
      this.bytes = encodeAddress({ path });
      return;
    }
    const folder = dirname(path);
    this.#directory = check(binding().openDirectory(folder), 'open', { target: folder });
    try {
      this.bytes = encodeAddress({
        path: join(`/proc/self/fd/${this.#directory}`, basename(path)),
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.#directory < 0) return;
    binding().close(this.#directory);
    this.#directory = -1;
  }
}

/** How a socket gets its name. */
export interface BindOptions {
  readonly mode: number;
  /** Take over the path of a server that is gone. */
  readonly reclaim: boolean;
}

/**
 * The name of a socket of ours: what of it is in the file system goes with `release`, if it is still ours.
 *
 * Lifetime: from `bindTo` until `release`, which may be called again. A process that is killed leaves the
 * socket's file, which nobody can connect to, and the file of its lock, which nobody holds.
 */
export class Place {
  readonly #path: string | undefined;
  readonly #file: Stats | undefined;
  readonly #lock: Lock | undefined;
  #released = false;

  private constructor(path?: string, file?: Stats, lock?: Lock) {
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
  }

  /**
   * bind(2). A relative path is meant as of now, wherever the process goes later. The file's mode is exact, and at no time more than that.
   *
   * @throws {IpcError} EADDRINUSE when somebody has the name, and lives or may live
   */
  static bind(socket: SocketEnd, address: SocketAddress, options: BindOptions): Place {
    if (!('path' in address)) {
      check(socket.binding.bind(socket.fd, encodeAddress(address)), 'bind', {
        target: socket.target,
      });
      return new Place();
    }
    const route = new Route(address);
    const path = fromRoot(address.path);
    let lock: Lock | undefined;
    try {
      lock = options.reclaim ? Lock.take(address.path, path) : undefined;
      bindPath(socket, address, route, options);
      // Where somebody has removed it meanwhile there is nothing to remove.
      return new Place(path, lstatSync(path, { throwIfNoEntry: false }), lock);
    } catch (error) {
      lock?.release();
      throw error;
    } finally {
      route.close();
    }
  }

  /**
   * Leaves the socket's file to whoever has the descriptor from now on. The lock goes: what protects the
   * path is that somebody is bound to it.
   */
  leave(): void {
    if (this.#released) return;
    this.#released = true;
    this.#lock?.release();
  }

  /** Removes the socket's file if it is still this one, and then the lock. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#path !== undefined && this.#file !== undefined) {
      removeSame(this.#path, this.#file);
    }
    this.#lock?.release();
  }
}

/** As it is, symbolic links and all. */
function fromRoot(path: string): string {
  if (path.startsWith('/')) return path;
  try {
    return `${process.cwd()}/${path}`;
  } catch {
    return path; // The folder was removed: bind(2) tells.
  }
}

function bindPath(
  socket: SocketEnd,
  address: PathAddress,
  route: Route,
  { mode, reclaim }: BindOptions,
): void {
  const { binding: native, fd } = socket;
  const { path } = address;
  check(native.limitMode(fd, mode), 'fchmod', { target: path });
  let result = native.bind(fd, route.bytes);
  if (result < 0 && codeOfErrno(result) === 'EADDRINUSE' && reclaim && removeStale(address)) {
    result = native.bind(fd, route.bytes);
  }
  if (result < 0) throw bindError(result, path, reclaim);
  const changed = native.setMode(path, mode);
  if (changed >= 0) return;
  try {
    unlinkSync(path);
  } catch {
    // Somebody removed it before.
  }
  throw errorOf(changed, 'chmod', { target: path });
}

function bindError(result: number, path: string, reclaim: boolean): IpcError {
  const inUse = codeOfErrno(result) === 'EADDRINUSE';
  return errorOf(result, 'bind', {
    target: path,
    hint: !inUse
      ? undefined
      : reclaim
        ? 'a live server has it, or it is no socket'
        : 'if the server that made it is gone, reclaim: true takes it over',
  });
}

/** Removes a socket's file that no socket is bound to; whether it did. */
function removeStale(address: PathAddress): boolean {
  const { path } = address;
  let file: Stats;
  try {
    file = lstatSync(path);
  } catch {
    return true; // It is gone already.
  }
  if (!file.isSocket() || !isRefused(address) || isBound(path, file)) return false;
  return removeSame(path, file);
}

/** Whether nobody listens there: a live server, even a full or another one, answers otherwise. */
function isRefused(address: PathAddress): boolean {
  const probe = makeSocket(AF_UNIX, SOCK_STREAM);
  const route = new Route(address);
  try {
    const result = probe.binding.connect(probe.fd, route.bytes);
    return result < 0 && codeOfErrno(result) === 'ECONNREFUSED';
  } finally {
    route.close();
    probe.binding.close(probe.fd);
  }
}

/** A line of /proc/net/unix: the state, and the path as it was bound. Small inode numbers are padded. */
const UNIX_SOCKET = /^(?:\S+ ){5}(\d\d) +\d+ (.+)$/;

/** Connected, and connected but not accepted: those whom a listening socket has made have its path, too. */
const CONNECTED: readonly string[] = ['02', '03'];

/**
 * Whether some socket still has the path to listen there: one that is bound and does not listen yet refuses
 * connections, too.
 */
function isBound(path: string, file: Stats): boolean {
  const name = basename(path);
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.some((line) => {
    const [, state = '', bound = ''] = UNIX_SOCKET.exec(line) ?? [];
    if (CONNECTED.includes(state)) return false;
    if (bound === path) return true;
    return basename(bound) === name && bound.startsWith('/') && isSame(bound, file);
  });
}

function isSame(path: string, file: Stats): boolean {
  try {
    const { dev, ino } = statSync(path);
    return dev === file.dev && ino === file.ino;
  } catch {
    return false;
  }
}

/** Unlinks a path if it still is this file; whether nothing is there now. */
function removeSame(path: string, file: Stats): boolean {
  try {
    const now = lstatSync(path);
    if (now.dev !== file.dev || now.ino !== file.ino) return false;
    unlinkSync(path);
  } catch {
    // Somebody removed it before.
  }
  return true;
}

/** What the kernel says of a lock's path where somebody else has put something. */
const PLANTED =
  'the lock of a path is a file beside it, and what is there is not ours: remove it, or take a folder of your own';
const LOCK_HINTS: Readonly<Record<string, string>> = {
  ELOOP: PLANTED,
  EACCES: PLANTED,
  EISDIR: PLANTED,
};

/** The lock beside a path that is reclaimed: who holds it is the one who may take the path over. */
class Lock {
  readonly #path: string;
  #fd: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** @param given - the path of the socket, for errors; then from the root on */
  static take(given: string, socketPath: string): Lock {
    const path = `${socketPath}.lock`;
    for (;;) {
      const fd = binding().openLock(path);
      if (fd < 0) {
        const code = codeOfErrno(fd);
        const hint = LOCK_HINTS[code];
        if (code !== 'EAGAIN') throw errorOf(fd, 'open', { target: path, hint });
        throw new IpcError('EADDRINUSE', {
          syscall: 'bind',
          target: given,
          hint: `a live server holds ${path}`,
        });
      }
      // Its last holder may have removed the file between our open and our lock.
      if (isSame(path, fileOf(fd))) return new Lock(path, fd);
      binding().close(fd);
    }
  }

  release(): void {
    if (this.#fd < 0) return;
    removeSame(this.#path, fileOf(this.#fd));
    binding().close(this.#fd);
    this.#fd = -1;
  }
}

function fileOf(fd: number): Stats {
  return statSync(`/proc/self/fd/${fd}`);
}
