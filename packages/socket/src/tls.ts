import type { Socket } from 'node:net';
import type Tls from 'node:tls';
import {
  connect,
  createSecureContext,
  type ConnectionOptions,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';

import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import { Deadline, integer, IpcError, timeoutError } from '@octoipc/core/kit';

import type { Connection } from './connection.js';
import { SecureConnection } from './secure-connection.js';
import type { Finish } from './secure-arrivals.js';

/** The client's side of TLS over a connection, which goes with the result. */
export function secure(
  connection: Connection,
  options: ConnectionOptions,
  maxMessageSize: number | undefined,
  wait: WaitOptions,
): Promise<Connection> {
  return handshake(connection, maxMessageSize, wait, 'secureConnect', (socket) => {
    // A numeric address is no server name (RFC 6066).
    const { servername, ...others } = options;
    const named = servername === undefined || /^[\d.]+$|:/.test(servername) ? {} : { servername };
    return connect({ host: servername, ...others, ...named, socket });
  });
}

/** Who says nothing for so long is not waited for, in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

/** The server's side. */
export function serving(options: TlsOptions, maxMessageSize: number | undefined): Finish {
  const { handshakeTimeout: timeout = HANDSHAKE_TIMEOUT } = options;
  integer(timeout, 'address.tls.handshakeTimeout', 1);
  const secureContext = options.secureContext ?? createSecureContext(options);
  const wantsProof = Boolean(options.requestCert) && options.rejectUnauthorized !== false;
  return (connection, signal) =>
    handshake(
      connection,
      maxMessageSize,
      { signal, timeout },
      'secure',
      (socket) => {
        const { TLSSocket: NodeSocket } = require('node:tls') as typeof Tls;
        return new NodeSocket(socket, { ...options, isServer: true, secureContext });
      },
      wantsProof ? checkClient : undefined,
    );
}

/**
 * Throws where the certificate that a client has shown does not hold. A `tls.Server` looks at that itself; a TLS socket
 * leaves it to whoever has made it, and OpenSSL goes on with any certificate.
 */
function checkClient(stream: TLSSocket, details: IpcErrorDetails): void {
  const { _handle: handle } = stream as unknown as {
    readonly _handle?: { verifyError?(): NodeJS.ErrnoException | null } | null;
  };
  // Where nobody can tell it does not hold.
  const cause: NodeJS.ErrnoException | null =
    typeof handle?.verifyError === 'function' ? handle.verifyError() : new Error('unknown');
  if (cause === null || cause === undefined) return;
  const text = `the client's certificate does not hold: ${cause.code ?? cause.message}`;
  throw new IpcError('EPROTO', { ...details, text, cause });
}

async function handshake(
  connection: Connection,
  maxMessageSize: number | undefined,
  wait: WaitOptions,
  event: 'secure' | 'secureConnect',
  begin: (socket: Socket) => TLSSocket,
  verify?: (stream: TLSSocket, details: IpcErrorDetails) => void,
): Promise<Connection> {
  const details = { syscall: 'tls', target: connection.socket.target };
  try {
    const below = connection.toDuplex({ allowHalfOpen: true }) as Socket;
    const stream = begin(below);
    // What it says when it is destroyed is said already.
    stream.on('error', () => {});
    await settled(stream, event, wait, details);
    verify?.(stream, details);
    return SecureConnection.join(connection, below, stream, maxMessageSize);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function settled(
  stream: TLSSocket,
  event: string,
  { signal, timeout }: WaitOptions,
  details: IpcErrorDetails,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      deadline?.clear();
      signal?.removeEventListener('abort', onAbort);
      stream.off('error', onError).off('close', onClose).off('end', onClose);
      stream.off('readable', onReadable).off(event, onSecure);
      settle();
    };
    const onError = (cause: Error): void =>
      done(() => reject(new IpcError('EPROTO', { ...details, text: cause.message.trim(), cause })));
    const onClose = (): void => done(() => reject(new IpcError('ECONNRESET', details)));
    // A stream tells its end to those only who read: of a handshake that the other side has left.
    const onReadable = (): void => {
      if (stream.readableLength === 0) stream.read(0);
    };
    const onSecure = (): void => done(resolve);
    const onAbort = (): void => done(() => reject(signal?.reason as Error));
    const deadline =
      timeout === undefined || timeout === Infinity
        ? undefined
        : new Deadline(timeout, () => done(() => reject(timeoutError(details))));
    stream.on('error', onError).on('close', onClose).on('end', onClose);
    stream.on('readable', onReadable).on(event, onSecure);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}
