/**
 * An event counter that processes share.
 *
 * @packageDocumentation
 */
export { Socket, type SocketOptions } from './socket.js';
