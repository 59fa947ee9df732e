/**
 * The system calls of sockets themselves, on descriptors and plain addresses.
 *
 * @packageDocumentation
 */
export * from './constants.js';
export {
  accept,
  acceptSync,
  connect,
  connectSync,
  tryAccept,
  tryConnect,
  type Accepted,
} from './posix-connect.js';
export {
  bind,
  close,
  getpeername,
  getsockname,
  getsockopt,
  listen,
  setsockopt,
  shutdown,
  socket,
  socketpair,
  type ShutdownHow,
} from './posix-socket.js';
export {
  recv,
  recvfrom,
  recvfromSync,
  recvmsg,
  recvmsgSync,
  recvSync,
  send,
  sendmsg,
  sendmsgSync,
  sendSync,
  sendto,
  sendtoSync,
  tryRecv,
  tryRecvfrom,
  tryRecvmsg,
  trySend,
  trySendmsg,
  trySendto,
  type IncomingMessage,
  type IncomingRequest,
  type OutgoingMessage,
  type SyncOptions,
} from './posix-transfer.js';
export type { FdSource } from './fds.js';
export type { Peer } from './peer.js';
export type { SocketAddress } from './sockaddr.js';
