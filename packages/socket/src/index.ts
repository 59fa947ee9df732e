/**
 * Sockets with everything that the kernel offers: streams, packets and datagrams over Unix sockets and
 * TCP, with descriptors, credentials and exact names.
 *
 * @packageDocumentation
 */
export { activationSockets, type ActivationSocket } from './activation.js';
export type { Address, HostAddress } from './address.js';
export type { ConnectionType } from './connection-options.js';
export { socketReceiver, socketSender } from './channel.js';
export { connect, connectSync, type ConnectOptions } from './connect.js';
export { Connection, type ReceiveFdsOptions } from './connection.js';
export { Datagram } from './datagram.js';
export {
  datagramReceiver,
  datagramSender,
  type DatagramChannelOptions,
} from './datagram-channel.js';
export type { DatagramMessage } from './datagram-message.js';
export type {
  DatagramBindOptions,
  DatagramReceiveOptions,
  DatagramSendOptions,
} from './datagram-options.js';
export type { DuplexOptions } from './duplex.js';
export type { FdMessage, FdSource } from './fds.js';
export { fromFd } from './from-fd.js';
export { listen, type ListenOptions } from './listen.js';
export { notify, type NotifyOptions } from './notify.js';
export { socketPair, type SocketPairOptions } from './pair.js';
export { PeerProcess, type Peer } from './peer.js';
export type { ServeOptions } from './serve-options.js';
export { Server } from './server.js';
export { serverReceiver } from './server-receiver.js';
export type { ServerReceiverOptions } from './server-receiver-options.js';
export type {
  AbstractAddress,
  AutobindAddress,
  IpAddress,
  PathAddress,
  SocketAddress,
  VsockAddress,
} from './sockaddr.js';
export type { KeepAlive, TcpOptions } from './tcp.js';
