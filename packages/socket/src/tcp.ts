import { IpcError, integer, optionalBoolean, optionsObject } from '@octoipc/core/kit';

import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from './constants.js';
import { setIntOption, type SocketEnd } from './end.js';

/** Whether and how a silent peer is asked if it still lives. */
export type KeepAlive =
  | boolean
  | {
      /** Silence before the first question, in milliseconds; the kernel counts in seconds. */
      readonly idle?: number;
      /** Between questions, in milliseconds; the kernel counts in seconds. */
      readonly interval?: number;
      /** Questions without an answer after which the connection is broken. */
      readonly count?: number;
    };

/** What connections over TCP take. */
export interface TcpOptions {
  /** Small writes go out at once. @default true */
  readonly noDelay?: boolean;
  /** @default false */
  readonly keepAlive?: KeepAlive;
}

/** Checks them before there is a socket; as they are now, whatever the caller does with the object meanwhile. */
export function checkTcpOptions({ noDelay, keepAlive }: TcpOptions): TcpOptions {
  optionalBoolean(noDelay, 'options.noDelay');
  if (keepAlive !== undefined) checkKeepAlive(keepAlive);
  const kept = typeof keepAlive === 'object' ? { ...keepAlive } : keepAlive;
  return {
    ...(noDelay === undefined ? {} : { noDelay }),
    ...(kept === undefined ? {} : { keepAlive: kept }),
  };
}

function checkKeepAlive(keepAlive: KeepAlive): void {
  if (typeof keepAlive === 'boolean') return;
  const { idle, interval, count } = optionsObject(keepAlive, 'keepAlive');
  if (idle !== undefined) integer(idle, 'keepAlive.idle', 1, 32_767_000);
  if (interval !== undefined) integer(interval, 'keepAlive.interval', 1, 32_767_000);
  if (count !== undefined) integer(count, 'keepAlive.count', 1, 127);
}

/** What a new TCP connection gets; nothing for other families. */
export function applyTcpOptions(end: SocketEnd, { noDelay = true, keepAlive }: TcpOptions): void {
  if (!isTcp(end)) return;
  if (noDelay) setNoDelay(end, true);
  if (keepAlive !== undefined) setKeepAlive(end, keepAlive);
}

export function setNoDelay(end: SocketEnd, on: boolean): void {
  optionalBoolean(on, 'on');
  checkTcp(end);
  setIntOption(end.fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

export function setKeepAlive(end: SocketEnd, keepAlive: KeepAlive): void {
  checkKeepAlive(keepAlive);
  checkTcp(end);
  setIntOption(end.fd, SOL_SOCKET, SO_KEEPALIVE, keepAlive === false ? 0 : 1);
  if (typeof keepAlive === 'boolean') return;
  const set = (option: number, value: number | undefined): void => {
    if (value !== undefined) setIntOption(end.fd, IPPROTO_TCP, option, value);
  };
  set(TCP_KEEPIDLE, seconds(keepAlive.idle));
  set(TCP_KEEPINTVL, seconds(keepAlive.interval));
  set(TCP_KEEPCNT, keepAlive.count);
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.ceil(milliseconds / 1000);
}

function isTcp(end: SocketEnd): boolean {
  return end.domain === AF_INET || end.domain === AF_INET6;
}

function checkTcp(end: SocketEnd): void {
  if (isTcp(end)) return;
  throw new IpcError('ENOTSUP', {
    ...end.details('setsockopt'),
    hint: 'only TCP has this option',
  });
}
