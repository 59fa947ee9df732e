import { KnownMemory, loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

import { SCM_MAX_FD } from './constants.js';
import { frames } from './frames.js';
import { ADDRESS_ROOM } from './sockaddr.js';

/** As many packets are handed over in one native call: `kMostAtOnce` of socket.h. */
export const BATCH = 16;

/** Numbers of a packet, in the order of `Found` in receive.cc. */
export const STRIDE = 10;

/**
 * The native functions of this package; a negative result is -errno. Addresses are raw sockaddrs. Those
 * that are told by numbers in the array of `tellIn` have in their comment which, in their order.
 */
export interface SocketBinding extends DescriptorBinding {
  /** 1 in the thread that the process began with, which nobody terminates. */
  readonly mainThread: 0 | 1;
  socket(domain: number, type: number, protocol: number, owned: boolean): number;
  socketpair(
    ends: Int32Array,
    domain: number,
    type: number,
    protocol: number,
    owned: boolean,
  ): number;
  bind(fd: number, address: Uint8Array): number;
  listen(fd: number, backlog: number): number;
  connect(fd: number, address: Uint8Array): number;
  accept(fd: number, name: Uint8Array, length: Int32Array, flags: number, owned: boolean): number;
  shutdown(fd: number, how: number): number;
  name(fd: number, peer: boolean, out: Uint8Array): number;
  getOption(fd: number, level: number, option: number, out: Uint8Array): number;
  setOption(fd: number, level: number, option: number, value: Uint8Array): number;
  peerPidfd(fd: number): number;
  duplicate(fd: number, owned: boolean): number;
  closeUnowned(fd: number): number;
  fileType(fd: number): number;
  statusFlags(fd: number): number;
  setNonblocking(fd: number, nonblocking: boolean): number;
  setCloseOnExec(fd: number): number;
  available(fd: number): number;
  receive(fd: number, into: Uint8Array, offset: number, length: number, flags: number): number;
  send(fd: number, from: Uint8Array, offset: number, length: number, flags: number): number;
  sendMessage(
    fd: number,
    data: Uint8Array,
    offset: number,
    length: number,
    fds: Int32Array,
    credentials: Int32Array,
    address: Uint8Array,
    flags: number,
  ): number;
  /** Both, fd, offset, length, flags; "again" of the memory that was sent last. */
  sendOf(from: Uint8Array): number;
  sendAgain(): number;
  tellIn(numbers: Int32Array, names: Uint8Array, fds: Int32Array): number;
  receiveInto(memory: Uint8Array): number;
  /** Those of `Wanted` in receive.cc. */
  receiveMessages(): number;
  /** The end of a message of the last call, beyond its room. */
  takeEnd(index: number, into: Uint8Array, offset: number): number;
  /** What it was told of; all copies of this module in a thread have one binding. */
  known: Known;
  limitMode(fd: number, mode: number): number;
  setMode(path: string, mode: number): number;
  openDirectory(path: string): number;
  openLock(path: string): number;
}

/** Memory that both sides know. */
interface Known {
  readonly numbers: Int32Array;
  readonly names: Uint8Array;
  readonly fds: Int32Array;
  readonly sent: KnownMemory;
  memory: Uint8Array | undefined;
}

let loaded: SocketBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): SocketBinding {
  if (loaded === undefined) {
    frames();
    const native = loadBinding<SocketBinding>(import.meta.url, 'socket');
    native.known ??= {
      numbers: new Int32Array(STRIDE * BATCH),
      names: new Uint8Array(ADDRESS_ROOM * BATCH),
      fds: new Int32Array(SCM_MAX_FD * BATCH),
      sent: new KnownMemory(),
      memory: undefined,
    };
    const { numbers, names, fds } = native.known;
    native.tellIn(numbers, names, fds);
    // What Node-API has made is a dictionary to V8, in which each call would look its function up.
    loaded = { ...native };
  }
  return loaded;
}
