import type { ConnectionOptions } from 'node:tls';

import type { WaitOptions } from '@octoipc/core';
import { IpcError, isIpcError, optionsObject, waitOptions } from '@octoipc/core/kit';

import { parseAddress, resolveAddress, type Address, type HostAddress } from './address.js';
import { connectEnd, connectEndSync } from './connecting.js';
import { checkConnectionOptions, messageLimit, type ConnectionType } from './connection-options.js';
import { Connection } from './connection.js';
import { makeSocket } from './end.js';
import { isNumericHost } from './ip-address.js';
import { familyOf, type SocketAddress } from './sockaddr.js';
import { applyTcpOptions, checkTcpOptions, type TcpOptions } from './tcp.js';
import { secure } from './tls.js';

/** What `connect` takes. */
export interface ConnectOptions extends WaitOptions, TcpOptions {
  /** Bytes without boundaries, or packets. @default 'stream' */
  readonly type?: ConnectionType;
  /** The longest message of `send` and `receive`, in bytes. @default 16777216 (16 MiB) */
  readonly maxMessageSize?: number;
}

/**
 * Connects to a server.
 *
 * @param address - `{ path }`, `{ abstract }`, `{ host, port, tls? }`, or a URL: `unix:/run/x.sock`,
 *   `unix:@name`, `tcp://host:port`, `tls://host:port`
 * @param options - its type, and how long
 * @returns the connection; where the backlog of a Unix server is full it waits for room
 * @throws {IpcError} ENOENT when there is no such path
 * @throws {IpcError} ECONNREFUSED when nobody listens there
 * @throws {IpcError} EPROTOTYPE when the server is of another type
 * @throws {IpcError} ENAMETOOLONG when the path is over 107 bytes
 * @throws {IpcError} ETIMEDOUT when the timeout is over
 * @example
 * ```js
 * import { connect, listen } from '@octoipc/socket';
 *
 * const server = await listen({ abstract: 'octoipc-example' });
 * const client = await connect('unix:@octoipc-example');
 * const served = await server.accept();
 * served.peer.pid === process.pid; //=> true
 * await client.write('hello');
 * String(await served.read()); //=> 'hello'
 * for (const each of [client, served, server]) each.close();
 * ```
 * @see connect(2)
 */
export async function connect(address: Address, options?: ConnectOptions): Promise<Connection> {
  const given = checkedOptions(options);
  const { wait } = given;
  const deadline = wait.timeout === undefined ? Infinity : performance.now() + wait.timeout;
  const left = (): WaitOptions =>
    deadline === Infinity
      ? wait
      : { signal: wait.signal, timeout: Math.max(0, deadline - performance.now()) };
  const { addresses, host, tls } = await resolveAddress(address, wait);
  let failure: unknown;
  for (const each of addresses) {
    try {
      const connection = await connectTo(each, given, left());
      if (tls === undefined) return connection;
      const client = { servername: host!, ...(tls as ConnectionOptions) };
      return await secure(connection, client, given.maxMessageSize, left());
    } catch (error) {
      failure = error;
      if (!isIpcError(error) || isIpcError(error, 'ETIMEDOUT')) break;
    }
  }
  throw failure;
}

/** What `connect` takes, checked, as it was when it was called. */
interface Given {
  readonly type: number;
  readonly maxMessageSize: number;
  readonly tcp: TcpOptions;
  readonly wait: WaitOptions;
}

function checkedOptions(options: ConnectOptions | undefined): Given {
  const given = optionsObject(options);
  const type = checkConnectionOptions(given);
  const { signal, timeout } = waitOptions(options);
  return {
    type,
    maxMessageSize: messageLimit(given.maxMessageSize),
    tcp: checkTcpOptions(given),
    wait: { signal, timeout },
  };
}

/** {@link connect} that blocks this thread. Hosts must be numeric, and TLS cannot be had. */
export function connectSync(
  address: Address,
  options?: Omit<ConnectOptions, 'signal'>,
): Connection {
  const given = checkedOptions(options);
  const parsed = parseAddress(address);
  if (
    'host' in parsed &&
    (!isNumericHost(parsed.host) || ((parsed as HostAddress).tls ?? false) !== false)
  ) {
    throw new IpcError('ERR_UNSUPPORTED', {
      text: 'a blocking connect looks up no names and has no TLS',
      syscall: 'connect',
      target: parsed.host,
      hint: 'await connect() instead',
    });
  }
  const end = makeSocket(familyOf(parsed), given.type, parsed);
  try {
    connectEndSync(end, parsed, given.wait.timeout);
    applyTcpOptions(end, given.tcp);
    return Connection.over(end, given.maxMessageSize);
  } catch (error) {
    end.binding.close(end.fd);
    throw error;
  }
}

async function connectTo(
  address: SocketAddress,
  { type, tcp, maxMessageSize }: Given,
  wait: WaitOptions,
): Promise<Connection> {
  const end = makeSocket(familyOf(address), type, address);
  try {
    await connectEnd(end, address, wait);
    applyTcpOptions(end, tcp);
    return Connection.over(end, maxMessageSize);
  } catch (error) {
    end.binding.close(end.fd);
    throw error;
  }
}
