import { constants } from 'node:fs';

import { adopt, check, codeOfErrno, descriptor, errorOf, valueError } from '@octoipc/core/kit';

import { binding, type SocketBinding } from './binding.js';
import { MSG_DONTWAIT, SO_DOMAIN, SO_TYPE, SOL_SOCKET } from './constants.js';
import { ADDRESS_ROOM, decodeAddress, showAddress, type SocketAddress } from './sockaddr.js';

const MOST_TOLD = 0x7fff_ffff;

/**
 * A socket's descriptor, owned by the binding, and how it is read or written without waiting.
 *
 * The open file description stays in the mode that it came in, blocking for those that we make: each
 * call that must not wait says so itself (MSG_DONTWAIT). So whoever else has it is not disturbed, and a
 * blocking call sleeps in the system call itself. It does so in the main thread only: a worker must
 * notice that it is terminated, so it sleeps in poll(2), a slice at a time.
 */
export class SocketEnd {
  readonly fd: number;
  readonly domain: number;
  readonly type: number;
  /** How errors name it. */
  target: string | number;
  readonly binding: SocketBinding;
  /** Whether this thread may sleep in a call. */
  readonly sleeps: boolean;
  /** How much room the packets that came last have needed, and how many came without descriptors. */
  usualRoom = 0;
  plainInARow = 0;
  /** Receives in a row of one packet where several were asked for; more than a few: those for one since. */
  lonely = 0;

  constructor(fd: number, domain: number, type: number, target: string | number = fd) {
    this.fd = fd;
    this.domain = domain;
    this.type = type;
    this.target = target;
    this.binding = binding();
    this.sleeps = this.binding.mainThread === 1;
  }

  /** recv(2); -errno when it fails. */
  read(into: Uint8Array, offset: number, length: number): number {
    return this.binding.receive(this.fd, into, offset, length, MSG_DONTWAIT);
  }

  /** recv(2) that sleeps while there is nothing; -EAGAIN where it must not, or cannot. */
  readSleeping(into: Uint8Array, offset: number, length: number): number {
    return this.binding.receive(this.fd, into, offset, length, this.sleeps ? 0 : MSG_DONTWAIT);
  }

  /** send(2); -errno when it fails. */
  write(from: Uint8Array, offset: number, length: number): number {
    return this.#send(from, offset, length, MSG_DONTWAIT);
  }

  /** send(2) that sleeps; see {@link readSleeping}. */
  writeSleeping(from: Uint8Array, offset: number, length: number): number {
    return this.#send(from, offset, length, this.sleeps ? 0 : MSG_DONTWAIT);
  }

  #send(from: Uint8Array, offset: number, length: number, flags: number): number {
    const { binding: native } = this;
    // What is told is told by numbers of 32 bits.
    if (offset + length > MOST_TOLD) return native.send(this.fd, from, offset, length, flags);
    const { numbers, sent } = native.known;
    numbers[0] = this.fd;
    numbers[1] = offset;
    numbers[2] = length;
    numbers[3] = flags;
    return sent.isKnown(from) ? native.sendAgain() : native.sendOf(sent.know(from));
  }

  /** The name of this side; null where it has none. */
  localAddress(): SocketAddress | null {
    return addressOf(this.fd, false);
  }

  /** The name of the other side; null where it has none, or where there is no other side. */
  remoteAddress(): SocketAddress | null {
    return addressOf(this.fd, true);
  }

  details(syscall: string): { syscall: string; target: string | number } {
    return { syscall, target: this.target };
  }
}

const nameRoom = new Uint8Array(ADDRESS_ROOM);

/** getsockname(2), or getpeername(2). */
function addressOf(fd: number, peer: boolean): SocketAddress | null {
  const length = binding().name(fd, peer, nameRoom);
  if (length < 0) {
    const code = codeOfErrno(length);
    if (code === 'ENOTCONN' || code === 'EINVAL') return null;
    throw errorOf(length, peer ? 'getpeername' : 'getsockname', { target: fd });
  }
  return decodeAddress(nameRoom, length);
}

/** An integer option of a socket; -errno when it has none. */
export function intOption(fd: number, level: number, option: number): number {
  const out = new Int32Array(1);
  const result = binding().getOption(fd, level, option, new Uint8Array(out.buffer));
  return result < 0 ? result : out[0]!;
}

/** Sets an integer option. */
export function setIntOption(fd: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  check(binding().setOption(fd, level, option, bytes), 'setsockopt', { target: fd });
}

/** Makes a socket that the binding owns, non-blocking until it is connected. */
export function makeSocket(
  domain: number,
  type: number,
  address: SocketAddress | null = null,
): SocketEnd {
  // Before there is a socket that would be lost: what is no address cannot be shown.
  const target = address === null ? undefined : showAddress(address);
  const fd = check(binding().socket(domain, type, 0, true), 'socket', {
    hint: 'close what is not needed, or raise the limit: ulimit -n (RLIMIT_NOFILE)',
  });
  return new SocketEnd(fd, domain, type, target ?? fd);
}

/**
 * Takes over a descriptor that came from outside, if it is a socket of one of these types. In a worker its
 * number changes: see `adopt` of the kit.
 *
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a socket, or of another type
 * @throws {IpcError} EBADF when it is not open; EEXIST when a handle owns it already
 */
export function adoptSocket(fd: number, types: readonly number[]): SocketEnd {
  descriptor(fd);
  const native = binding();
  if (check(native.fileType(fd), 'fstat', { target: fd }) !== constants.S_IFSOCK) {
    throw valueError('fd', 'must be a socket', fd);
  }
  const type = check(intOption(fd, SOL_SOCKET, SO_TYPE), 'getsockopt', { target: fd });
  const domain = check(intOption(fd, SOL_SOCKET, SO_DOMAIN), 'getsockopt', { target: fd });
  if (!types.includes(type)) throw valueError('fd', 'is a socket of another type', fd);
  const adopted = adopt(native, fd);
  if (adopted < 0) {
    throw errorOf(adopted, 'fromFd', {
      target: fd,
      hint:
        codeOfErrno(adopted) === 'EEXIST'
          ? 'another handle owns this descriptor: use that one, or release() it first'
          : undefined,
    });
  }
  return new SocketEnd(adopted, domain, type);
}
