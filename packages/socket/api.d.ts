// @octoipc/socket

import { Duplex } from 'node:stream';

import {
  WaitOptions,
  ByteReader,
  ReadTarget,
  ByteWriter,
  Bytes,
  Receiver,
  Sender,
} from '@octoipc/core';

import {
  DescriptorBinding,
  KnownMemory,
  FdHandle,
  BLOCKED,
  Direction,
  Attempt,
  Operation,
  ReadOptions,
  ReadSyncOptions,
  ReadAllOptions,
  LinesOptions,
  WriteSyncOptions,
  YIELD,
} from '@octoipc/core/kit';

import { ConnectionOptions, TlsOptions } from 'node:tls';

interface AbstractAddress {
  readonly abstract: string | Uint8Array;
}

interface ActivationSocket {
  readonly name: string;
  readonly fd: number;
  readonly listening: boolean;
  toServer(options?: ServeOptions): Server;
}

type Address = SocketAddress | HostAddress | string;

interface AutobindAddress {
  readonly autobind: true;
}

interface BindOptions {
  readonly mode: number;
  readonly reclaim: boolean;
}

declare abstract class ByteConnection extends ByteInput implements ByteWriter {
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  tryWrite(data: Bytes): number;
  writeSync(data: Bytes, options?: WriteSyncOptions): void;
  shutdown(how: number): void;
}

declare abstract class ByteInput extends SocketHandle implements ByteReader, AsyncIterable<Buffer> {
  readonly type: ConnectionType;
  protected readonly inbox: PacketInbox;
  protected constructor(end: SocketEnd | number);
  read(options?: ReadOptions): Promise<Buffer | null>;
  protected reading(syscall: string): Operation;
  tryRead(options?: ReadTarget): Buffer | null | undefined;
  readSync(options?: ReadSyncOptions): Buffer | null;
  readAll(options?: ReadAllOptions): Promise<Buffer>;
  lines(options?: LinesOptions): AsyncIterableIterator<string>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  get available(): number;
  takeReturned(): Buffer | undefined;
  protected putBack(bytes: Buffer): void;
  protected get hasTaken(): boolean;
  protected checkNothingTaken(): void;
  protected describe(): {
    syscall: string;
    target: string | number;
  };
  close(): void;
  protected checkEnd(): void;
}

interface ConnectOptions extends WaitOptions, TcpOptions {
  readonly type?: ConnectionType;
  readonly maxMessageSize?: number;
}

declare class Connection extends ByteConnection {
  protected constructor(end: SocketEnd | number, maxMessageSize: number);
  static fromFd(
    fd: number,
    options?: {
      readonly maxMessageSize?: number;
    },
  ): Connection;
  static over(end: SocketEnd, maxMessageSize?: number): Connection;
  get remote(): SocketAddress | null;
  get peer(): Peer | null;
  peerProcess(): PeerProcess;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  iterateMessages(): AsyncIterableIterator<Buffer>;
  get maxMessageSize(): number;
  send(message: Bytes, options?: WaitOptions): Promise<void>;
  trySend(message: Bytes): boolean;
  sendSync(
    message: Bytes,
    options?: {
      readonly timeout?: number | undefined;
    },
  ): void;
  receive(options?: WaitOptions): Promise<Buffer | null>;
  tryReceive(): Buffer | null | undefined;
  receiveSync(options?: { readonly timeout?: number | undefined }): Buffer | null;
  sendFds(fds: readonly FdSource[], data?: Bytes, options?: WaitOptions): Promise<void>;
  sendFdsSync(
    fds: readonly FdSource[],
    data?: Bytes,
    options?: {
      readonly timeout?: number | undefined;
    },
  ): void;
  receiveFds(options?: ReceiveFdsOptions): Promise<FdMessage | null>;
  tryReceiveFds(options?: { readonly maxFds?: number }): FdMessage | null | undefined;
  receiveFdsSync(options?: {
    readonly maxFds?: number;
    readonly timeout?: number | undefined;
  }): FdMessage | null;
  end(options?: WaitOptions): Promise<void>;
  toDuplex(options?: DuplexOptions): Duplex;
  toWeb(): {
    readable: ReadableStream<Uint8Array>;
    writable: WritableStream<Uint8Array | string>;
  };
  setNoDelay(on?: boolean): this;
  setKeepAlive(keepAlive?: KeepAlive): this;
  release(): number;
}

type ConnectionType = 'stream' | 'seqpacket';

declare class Datagram extends SocketHandle implements AsyncIterable<DatagramMessage> {
  static bind(address?: Address, options?: DatagramBindOptions): Promise<Datagram>;
  static connect(address: Address): Promise<Datagram>;
  static fromFd(fd: number): Datagram;
  get remote(): SocketAddress | null;
  send(data: Bytes, to?: Address | null, options?: DatagramSendOptions): Promise<void>;
  trySend(data: Bytes, to?: Address | null, options?: Pick<DatagramSendOptions, 'fds'>): boolean;
  sendSync(
    data: Bytes,
    to?: Address | null,
    options?: {
      readonly fds?: readonly FdSource[];
      readonly timeout?: number;
    },
  ): void;
  receive(options?: DatagramReceiveOptions): Promise<DatagramMessage>;
  tryReceive(
    options?: Omit<DatagramReceiveOptions, keyof WaitOptions>,
  ): DatagramMessage | undefined;
  receiveSync(options?: Omit<DatagramReceiveOptions, 'signal'>): DatagramMessage;
  [Symbol.asyncIterator](): AsyncIterableIterator<DatagramMessage>;
  ref(): this;
  unref(): this;
  close(): void;
  release(): number;
  protected describe(): {
    syscall: string;
    target: string | number;
  };
}

interface DatagramBindOptions {
  readonly mode?: number;
  readonly reclaim?: boolean;
}

interface DatagramChannelOptions {
  readonly maxMessageSize?: number | undefined;
}

interface DatagramMessage {
  readonly data: Buffer;
  readonly from: SocketAddress | null;
  readonly peer: Peer | null;
  readonly fds: number[];
  readonly truncated: boolean;
}

interface DatagramReceiveOptions extends WaitOptions {
  readonly maxBytes?: number;
  readonly maxFds?: number;
}

interface DatagramSendOptions extends WaitOptions {
  readonly fds?: readonly FdSource[];
}

interface DuplexOptions {
  readonly allowHalfOpen?: boolean;
}

interface FdMessage {
  readonly data: Buffer;
  readonly fds: number[];
}

type FdSource =
  | number
  | {
      readonly fd: number;
    };

type Finish = (connection: Connection, signal: AbortSignal) => Promise<Connection>;

interface HostAddress {
  readonly host: string;
  readonly port: number;
  readonly tls?: boolean | ConnectionOptions | TlsOptions;
}

interface IpAddress {
  readonly host: string;
  readonly port: number;
}

type KeepAlive =
  | boolean
  | {
      readonly idle?: number;
      readonly interval?: number;
      readonly count?: number;
    };

interface Known {
  readonly numbers: Int32Array;
  readonly names: Uint8Array;
  readonly fds: Int32Array;
  readonly sent: KnownMemory;
  memory: Uint8Array | undefined;
}

interface ListenOptions extends ServeOptions, Pick<WaitOptions, 'signal'> {
  readonly type?: ConnectionType;
  readonly backlog?: number;
  readonly mode?: number;
  readonly reclaim?: boolean;
  readonly reusePort?: boolean;
  readonly ipv6Only?: boolean;
}

interface NotifyOptions extends WaitOptions {
  readonly fds?: readonly FdSource[];
}

declare class PacketInbox {
  constructor(end: SocketEnd);
  get isEmpty(): boolean;
  get available(): number;
  takeReady(): Buffer | undefined;
  take(wanted: Take): Buffer | null | typeof BLOCKED;
  takeWithFds(wanted: Take, maxFds: number): FdMessage | null | typeof BLOCKED;
  clear(): void;
  isEnd(): boolean;
}

interface PathAddress {
  readonly path: string;
  readonly viaDirectory?: boolean;
}

interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

declare class PeerProcess extends FdHandle {
  readonly pid: number;
  static of({ binding: native, fd: socket, domain, target }: SocketEnd): PeerProcess;
  get alive(): boolean;
  exited(options?: WaitOptions): Promise<void>;
  protected describe(): {
    syscall: string;
    target: number;
  };
}

declare class Place {
  static bind(socket: SocketEnd, address: SocketAddress, options: BindOptions): Place;
  leave(): void;
  release(): void;
}

interface ReceiveFdsOptions extends WaitOptions {
  readonly maxFds?: number | undefined;
}

interface ServeOptions extends TcpOptions {
  readonly authorize?: (peer: Peer | null, connection: Connection) => boolean;
  readonly maxMessageSize?: number;
}

declare class Server extends SocketHandle implements AsyncIterable<Connection> {
  static fromFd(fd: number, options?: ServeOptions): Server;
  static over(end: SocketEnd, options: ServeOptions, place: Place, finish?: Finish): Server;
  get type(): ConnectionType;
  get maxMessageSize(): number;
  get address(): SocketAddress;
  accept(options?: WaitOptions): Promise<Connection>;
  tryAccept(): Connection | undefined;
  takeNow(): Connection | typeof BLOCKED | typeof YIELD;
  acceptSync(options?: { readonly timeout?: number | undefined }): Connection;
  [Symbol.asyncIterator](): AsyncIterableIterator<Connection>;
  close(): void;
  release(): number;
  protected describe(): {
    syscall: string;
    target: string | number;
  };
  take(): Connection | typeof BLOCKED | typeof YIELD;
}

interface ServerReceiverOptions {
  readonly persistent?: boolean | undefined;
  readonly maxConnections?: number | undefined;
}

type SocketAddress = PathAddress | AbstractAddress | AutobindAddress | IpAddress | VsockAddress;

interface SocketBinding extends DescriptorBinding {
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
  sendOf(from: Uint8Array): number;
  sendAgain(): number;
  tellIn(numbers: Int32Array, names: Uint8Array, fds: Int32Array): number;
  receiveInto(memory: Uint8Array): number;
  receiveMessages(): number;
  takeEnd(index: number, into: Uint8Array, offset: number): number;
  known: Known;
  limitMode(fd: number, mode: number): number;
  setMode(path: string, mode: number): number;
  openDirectory(path: string): number;
  openLock(path: string): number;
}

declare class SocketEnd {
  readonly fd: number;
  readonly domain: number;
  readonly type: number;
  target: string | number;
  readonly binding: SocketBinding;
  readonly sleeps: boolean;
  usualRoom: number;
  plainInARow: number;
  lonely: number;
  constructor(fd: number, domain: number, type: number, target?: string | number);
  read(into: Uint8Array, offset: number, length: number): number;
  readSleeping(into: Uint8Array, offset: number, length: number): number;
  write(from: Uint8Array, offset: number, length: number): number;
  writeSleeping(from: Uint8Array, offset: number, length: number): number;
  localAddress(): SocketAddress | null;
  remoteAddress(): SocketAddress | null;
  details(syscall: string): {
    syscall: string;
    target: string | number;
  };
}

declare abstract class SocketHandle extends FdHandle {
  readonly socket: SocketEnd;
  protected constructor(end: SocketEnd);
  get local(): SocketAddress | null;
  get sendBufferSize(): number;
  set sendBufferSize(bytes: number);
  get receiveBufferSize(): number;
  set receiveBufferSize(bytes: number);
  waitFor<T>(
    direction: Direction,
    attempt: Attempt<T>,
    options: WaitOptions,
    operation: Operation,
  ): Promise<T>;
  isWaiting(direction: Direction): boolean;
  sleep(direction: Direction, milliseconds: number): void;
  checkOpen(syscall: string): void;
}

interface SocketPairOptions {
  readonly type?: ConnectionType;
  readonly maxMessageSize?: number;
}

interface Take {
  readonly maxBytes: number;
  readonly truncate: boolean;
  readonly sleeping?: boolean;
  readonly ahead?: number;
}

interface TcpOptions {
  readonly noDelay?: boolean;
  readonly keepAlive?: KeepAlive;
}

interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

declare function activationSockets(): ActivationSocket[];

declare function connect(address: Address, options?: ConnectOptions): Promise<Connection>;

declare function connectSync(
  address: Address,
  options?: Omit<ConnectOptions, 'signal'>,
): Connection;

declare function datagramReceiver(socket: Datagram, options?: DatagramChannelOptions): Receiver;

declare function datagramSender(socket: Datagram, options?: DatagramChannelOptions): Sender;

declare function fromFd(fd: number): Connection | Server | Datagram;

declare function listen(address: Address, options?: ListenOptions): Promise<Server>;

declare function notify(
  state: string | Readonly<Record<string, string | number>>,
  options?: NotifyOptions,
): Promise<boolean>;

declare function serverReceiver(server: Server, options?: ServerReceiverOptions): Receiver;

declare function socketPair(options?: SocketPairOptions): [Connection, Connection];

declare function socketReceiver(connection: Connection): Receiver;

declare function socketSender(connection: Connection): Sender;

export {
  type AbstractAddress,
  type ActivationSocket,
  type Address,
  type AutobindAddress,
  type ConnectOptions,
  Connection,
  type ConnectionType,
  Datagram,
  type DatagramBindOptions,
  type DatagramChannelOptions,
  type DatagramMessage,
  type DatagramReceiveOptions,
  type DatagramSendOptions,
  type DuplexOptions,
  type FdMessage,
  type FdSource,
  type HostAddress,
  type IpAddress,
  type KeepAlive,
  type ListenOptions,
  type NotifyOptions,
  type PathAddress,
  type Peer,
  PeerProcess,
  type ReceiveFdsOptions,
  type ServeOptions,
  Server,
  type ServerReceiverOptions,
  type SocketAddress,
  type SocketPairOptions,
  type TcpOptions,
  type VsockAddress,
  activationSockets,
  connect,
  connectSync,
  datagramReceiver,
  datagramSender,
  fromFd,
  listen,
  notify,
  serverReceiver,
  socketPair,
  socketReceiver,
  socketSender,
};

// @octoipc/socket/posix

import { WaitOptions, Bytes } from '@octoipc/core';

declare const AF_INET = 2;

declare const AF_INET6 = 10;

declare const AF_UNIX = 1;

declare const AF_UNSPEC = 0;

declare const AF_VSOCK = 40;

interface AbstractAddress {
  readonly abstract: string | Uint8Array;
}

interface Accepted {
  readonly fd: number;
  readonly address: SocketAddress | null;
}

interface AutobindAddress {
  readonly autobind: true;
}

type FdSource =
  | number
  | {
      readonly fd: number;
    };

declare const IPPROTO_IP = 0;

declare const IPPROTO_IPV6 = 41;

declare const IPPROTO_TCP = 6;

declare const IPPROTO_UDP = 17;

declare const IPV6_V6ONLY = 26;

interface IncomingMessage {
  readonly data: Buffer;
  readonly address: SocketAddress | null;
  readonly fds: number[];
  readonly credentials: Peer | null;
  readonly truncated: boolean;
  readonly controlTruncated: boolean;
  readonly flags: number;
}

interface IncomingRequest {
  readonly size: number;
  readonly maxFds?: number;
  readonly flags?: number;
}

interface IpAddress {
  readonly host: string;
  readonly port: number;
}

declare const MSG_CMSG_CLOEXEC = 1073741824;

declare const MSG_CTRUNC = 8;

declare const MSG_DONTWAIT = 64;

declare const MSG_EOR = 128;

declare const MSG_NOSIGNAL = 16384;

declare const MSG_OOB = 1;

declare const MSG_PEEK = 2;

declare const MSG_TRUNC = 32;

declare const MSG_WAITALL = 256;

interface OutgoingMessage {
  readonly data: Bytes;
  readonly fds?: readonly FdSource[];
  readonly credentials?: Peer;
  readonly address?: SocketAddress;
  readonly flags?: number;
}

interface PathAddress {
  readonly path: string;
  readonly viaDirectory?: boolean;
}

interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

declare const SCM_MAX_FD = 253;

declare const SHUT_RD = 0;

declare const SHUT_RDWR = 2;

declare const SHUT_WR = 1;

declare const SOCK_DGRAM = 2;

declare const SOCK_SEQPACKET = 5;

declare const SOCK_STREAM = 1;

declare const SOL_SOCKET = 1;

declare const SOMAXCONN = 4096;

declare const SO_ACCEPTCONN = 30;

declare const SO_BROADCAST = 6;

declare const SO_DOMAIN = 39;

declare const SO_ERROR = 4;

declare const SO_KEEPALIVE = 9;

declare const SO_LINGER = 13;

declare const SO_PASSCRED = 16;

declare const SO_PASSPIDFD = 76;

declare const SO_PASSRIGHTS = 83;

declare const SO_PASSSEC = 34;

declare const SO_PEERCRED = 17;

declare const SO_PEERGROUPS = 59;

declare const SO_PEERPIDFD = 77;

declare const SO_PEERSEC = 31;

declare const SO_PROTOCOL = 38;

declare const SO_RCVBUF = 8;

declare const SO_RCVTIMEO = 20;

declare const SO_REUSEADDR = 2;

declare const SO_REUSEPORT = 15;

declare const SO_SNDBUF = 7;

declare const SO_SNDTIMEO = 21;

declare const SO_TYPE = 3;

type ShutdownHow = 'read' | 'write' | 'both' | number;

type SocketAddress = PathAddress | AbstractAddress | AutobindAddress | IpAddress | VsockAddress;

interface SyncOptions {
  readonly timeout?: number;
}

declare const TCP_KEEPCNT = 6;

declare const TCP_KEEPIDLE = 4;

declare const TCP_KEEPINTVL = 5;

declare const TCP_NODELAY = 1;

declare const TCP_USER_TIMEOUT = 18;

interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

declare function accept(fd: number, options?: WaitOptions): Promise<Accepted>;

declare function acceptSync(
  fd: number,
  options?: {
    readonly timeout?: number;
  },
): Accepted;

declare function bind(fd: number, address: SocketAddress): void;

declare function connect(fd: number, address: SocketAddress, options?: WaitOptions): Promise<void>;

declare function connectSync(
  fd: number,
  address: SocketAddress,
  options?: {
    readonly timeout?: number;
  },
): void;

declare function getpeername(fd: number): SocketAddress | null;

declare function getsockname(fd: number): SocketAddress | null;

declare function getsockopt(fd: number, level: number, option: number): number;

declare function getsockopt(fd: number, level: number, option: number, size: number): Buffer;

declare function listen(fd: number, backlog?: number): void;

declare function rawClose(fd: number): void;

declare function recv(
  fd: number,
  size: number,
  flags?: number,
  options?: WaitOptions,
): Promise<Buffer>;

declare function recvSync(fd: number, size: number, flags?: number, options?: SyncOptions): Buffer;

declare function recvfrom(
  fd: number,
  size: number,
  options?: WaitOptions,
): Promise<Pick<IncomingMessage, 'data' | 'address' | 'truncated'>>;

declare function recvfromSync(
  fd: number,
  size: number,
  options?: SyncOptions,
): Pick<IncomingMessage, 'data' | 'address' | 'truncated'>;

declare function recvmsg(
  fd: number,
  request: IncomingRequest,
  options?: WaitOptions,
): Promise<IncomingMessage>;

declare function recvmsgSync(
  fd: number,
  request: IncomingRequest,
  options?: SyncOptions,
): IncomingMessage;

declare function send(
  fd: number,
  data: Bytes,
  flags?: number,
  options?: WaitOptions,
): Promise<number>;

declare function sendSync(fd: number, data: Bytes, flags?: number, options?: SyncOptions): number;

declare function sendmsg(
  fd: number,
  message: OutgoingMessage,
  options?: WaitOptions,
): Promise<number>;

declare function sendmsgSync(fd: number, message: OutgoingMessage, options?: SyncOptions): number;

declare function sendto(
  fd: number,
  data: Bytes,
  address: SocketAddress,
  options?: WaitOptions,
): Promise<number>;

declare function sendtoSync(
  fd: number,
  data: Bytes,
  address: SocketAddress,
  options?: SyncOptions,
): number;

declare function setsockopt(
  fd: number,
  level: number,
  option: number,
  value: number | boolean | Uint8Array,
): void;

declare function shutdown(fd: number, how: ShutdownHow): void;

declare function socket(domain: number, type: number, protocol?: number): number;

declare function socketpair(domain: number, type: number, protocol?: number): [number, number];

declare function tryAccept(fd: number): Accepted | undefined;

declare function tryConnect(fd: number, address: SocketAddress): boolean;

declare function tryRecv(fd: number, size: number, flags?: number): Buffer | undefined;

declare function tryRecvfrom(
  fd: number,
  size: number,
): Pick<IncomingMessage, 'data' | 'address' | 'truncated'> | undefined;

declare function tryRecvmsg(fd: number, request: IncomingRequest): IncomingMessage | undefined;

declare function trySend(fd: number, data: Bytes, flags?: number): number | undefined;

declare function trySendmsg(fd: number, message: OutgoingMessage): number | undefined;

declare function trySendto(fd: number, data: Bytes, address: SocketAddress): number | undefined;

export {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  AF_VSOCK,
  type Accepted,
  type FdSource,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  type IncomingMessage,
  type IncomingRequest,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  type OutgoingMessage,
  type Peer,
  SCM_MAX_FD,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PASSCRED,
  SO_PASSPIDFD,
  SO_PASSRIGHTS,
  SO_PASSSEC,
  SO_PEERCRED,
  SO_PEERGROUPS,
  SO_PEERPIDFD,
  SO_PEERSEC,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SO_TYPE,
  type ShutdownHow,
  type SocketAddress,
  type SyncOptions,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
  accept,
  acceptSync,
  bind,
  rawClose as close,
  connect,
  connectSync,
  getpeername,
  getsockname,
  getsockopt,
  listen,
  recv,
  recvSync,
  recvfrom,
  recvfromSync,
  recvmsg,
  recvmsgSync,
  send,
  sendSync,
  sendmsg,
  sendmsgSync,
  sendto,
  sendtoSync,
  setsockopt,
  shutdown,
  socket,
  socketpair,
  tryAccept,
  tryConnect,
  tryRecv,
  tryRecvfrom,
  tryRecvmsg,
  trySend,
  trySendmsg,
  trySendto,
};
