import { isIpcError } from '@octoipc/core';
import { AF_UNIX, close, SOCK_DGRAM, socket, tryConnect } from '@octoipc/socket/posix';

/**
 * Whether a socket is bound to a file that no list has: one of another network namespace, or by another path. Nobody is told
 * of the question: a stream refuses a datagram socket before it hears of it, and another one does not notice who connects.
 *
 * @param path - of a socket's file
 * @returns undefined where that cannot be told, since this user may not connect to it
 * @see unix(7), EPROTOTYPE
 */
export function isBoundElsewhere(path: string): boolean | undefined {
  let probe: number | undefined;
  try {
    probe = socket(AF_UNIX, SOCK_DGRAM);
    tryConnect(probe, { path, viaDirectory: true });
    return true;
  } catch (error) {
    // EPERM: it talks to somebody else.
    if (isIpcError(error, 'EPROTOTYPE') || isIpcError(error, 'EPERM')) return true;
    return isIpcError(error, 'ECONNREFUSED') ? false : undefined;
  } finally {
    if (probe !== undefined) close(probe);
  }
}
