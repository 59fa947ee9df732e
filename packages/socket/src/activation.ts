import { check } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { SO_ACCEPTCONN, SOL_SOCKET } from './constants.js';
import { intOption } from './end.js';
import type { ServeOptions } from './serve-options.js';
import { Server } from './server.js';

/** A descriptor that systemd has passed. */
export interface ActivationSocket {
  /** `FileDescriptorName=` of its unit; `unknown` where it has none. */
  readonly name: string;
  readonly fd: number;
  /** Whether it is a socket that listens. */
  readonly listening: boolean;
  /** Takes it over as a server. */
  toServer(options?: ServeOptions): Server;
}

/** The first one: SD_LISTEN_FDS_START. */
const FIRST = 3;

/**
 * The descriptors that systemd, or whoever speaks its protocol, has passed to this process. They are
 * close-on-exec from now on, and stay open until somebody takes them over: `toServer()`, or a `fromFd`.
 *
 * @returns none where there are none, and where they are meant for another process (LISTEN_PID)
 * @throws {IpcError} EBADF when one that was announced is not open
 * @see sd_listen_fds(3)
 */
export function activationSockets(): ActivationSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: fds, LISTEN_FDNAMES: names } = process.env;
  if (pid !== String(process.pid) || fds === undefined || !/^\d{1,9}$/.test(fds)) return [];
  const known = names?.split(':') ?? [];
  return Array.from({ length: Number(fds) }, (_, i) => {
    const fd = FIRST + i;
    check(binding().setCloseOnExec(fd), 'fcntl', { target: fd });
    return {
      name: known[i] === undefined || known[i] === '' ? 'unknown' : known[i],
      fd,
      listening: intOption(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1,
      toServer: (options) => Server.fromFd(fd, options),
    };
  });
}
