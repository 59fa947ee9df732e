import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. Addresses are raw sockaddrs. */
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
  receiveMessages(
    fd: number,
    memory: Uint8Array,
    offset: number,
    room: number,
    max: number,
    spill: Uint8Array,
    names: Uint8Array,
    fds: Int32Array,
    numbers: Int32Array,
    flags: number,
  ): number;
  limitMode(fd: number, mode: number): number;
  setMode(path: string, mode: number): number;
  openDirectory(path: string): number;
  openLock(path: string): number;
}

let loaded: SocketBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): SocketBinding {
  loaded ??= loadBinding<SocketBinding>(`${__dirname}/../package.json`, 'socket');
  return loaded;
}
