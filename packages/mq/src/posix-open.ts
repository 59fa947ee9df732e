import { constants, fstatSync, statSync, type Stats } from 'node:fs';

import {
  check,
  integer,
  ipcNamespace,
  type ObjectIdentity,
  oneOf,
  optionalBoolean,
  optionsObject,
  type Reaper,
  registerReaper,
  Temporary,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EACCES, EEXIST, ENOENT } from './errno.js';
import { queueName } from './name.js';
import { completeAttributes, openError } from './posix-limits.js';

/** What a queue's handle may do. */
export type PosixAccess = 'send' | 'receive' | 'both';

/** How a POSIX queue is opened. */
export interface PosixOpenOptions {
  /** Create it if it is missing. @default false */
  readonly create?: boolean | undefined;
  /** Create it, and fail with `EEXIST` if it is there already. @default false */
  readonly exclusive?: boolean | undefined;
  /** Permission bits of a new queue, exact whatever the umask. @default 0o600 */
  readonly mode?: number | undefined;
  /** A queue that this call creates goes when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
  /** @default 'both' */
  readonly access?: PosixAccess | undefined;
  /** Messages that a new queue holds. @default fs.mqueue.msg_default (10) */
  readonly maxMessages?: number | undefined;
  /** Bytes of the longest message of a new queue. @default fs.mqueue.msgsize_default (8192) */
  readonly maxMessageSize?: number | undefined;
}

/** An open queue, and what makes it go again. */
export interface OpenedQueue {
  readonly name: string;
  readonly fd: number;
  readonly access: PosixAccess;
  readonly temporary: Temporary | undefined;
  /** It came from outside: others may share its open file description, whose mode is theirs. */
  readonly adopted?: boolean;
}

const ACCESS: Readonly<Record<PosixAccess, number>> = {
  receive: constants.O_RDONLY,
  send: constants.O_WRONLY,
  both: constants.O_RDWR,
};

const KIND = 'posix-mq';
const FOLDER = '/dev/mqueue';
const MOST = 0x7fffffff;
const DEFAULT_MODE = 0o600;

/** A queue may come and go between two calls: so often is it tried to open or create it. */
const ATTEMPTS = 100;

/** mq_open(3). */
export function openPosix(value: string, options: PosixOpenOptions | undefined): OpenedQueue {
  const name = queueName(value, 'mq_open');
  const given = optionsObject<PosixOpenOptions>(options);
  const { access = 'both', mode = DEFAULT_MODE, maxMessages, maxMessageSize } = given;
  const exclusive = optionalBoolean(given.exclusive, 'options.exclusive') ?? false;
  const temporary = optionalBoolean(given.temporary, 'options.temporary') ?? false;
  const create = optionalBoolean(given.create, 'options.create') ?? (exclusive || temporary);
  const flags = ACCESS[oneOf(access, 'options.access', ['send', 'receive', 'both'])];
  integer(mode, 'options.mode', 0, 0o777);
  if (maxMessages !== undefined) integer(maxMessages, 'options.maxMessages', 1, MOST);
  if (maxMessageSize !== undefined) integer(maxMessageSize, 'options.maxMessageSize', 1, MOST);
  const asked = completeAttributes(maxMessages, maxMessageSize);
  const native = binding();

  for (let attempt = 1; ; attempt++) {
    if (!(create && exclusive)) {
      const fd = native.posixOpen(name, flags);
      if (fd >= 0) return { name, fd, access, temporary: undefined };
      if (!create || fd !== ENOENT) throw openError(fd, name);
    }
    const claim = temporary ? new Temporary(KIND, name, reaper) : undefined;
    const fd = native.posixCreate(name, flags, mode, asked.maxMessages, asked.maxMessageSize);
    if (fd >= 0) {
      try {
        claim?.created(identityOf(fd));
      } catch (error) {
        // The record cannot be completed: then there is no queue either.
        native.close(fd);
        native.posixUnlink(name);
        claim?.end();
        throw error;
      }
      return { name, fd, access, temporary: claim };
    }
    const last = exclusive || fd !== EEXIST || attempt === ATTEMPTS;
    // Before the record is let go, whose descriptor may be the one that lacked.
    const error = last ? openError(fd, name, asked) : undefined;
    claim?.end();
    if (error !== undefined) throw error;
  }
}

/** mq_unlink(3). */
export function unlinkPosix(value: string): void {
  const name = queueName(value, 'mq_unlink');
  check(binding().posixUnlink(name), 'mq_unlink', { target: name });
}

function identityOf(fd: number): ObjectIdentity {
  return identityIn(fstatSync(fd));
}

function identityIn({ dev, ino }: Stats): ObjectIdentity {
  return { dev, ino, namespace: ipcNamespace() };
}

/** How temporary queues are found and removed, by `close` and by `reap`. */
const reaper: Reaper = {
  isOfNamespace: true,
  identify(name) {
    const native = binding();
    let fd = native.posixOpen(name, constants.O_RDONLY);
    // A mode without reading: its owner may have the other.
    if (fd < 0) fd = native.posixOpen(name, constants.O_WRONLY);
    if (fd < 0) {
      if (fd === ENOENT) return null;
      // A mode that keeps its own owner out: the file does not, where the queues are mounted.
      const status = fd === EACCES ? statSync(FOLDER + name, { throwIfNoEntry: false }) : undefined;
      if (status !== undefined) return identityIn(status);
      throw openError(fd, name);
    }
    try {
      return identityOf(fd);
    } finally {
      native.close(fd);
    }
  },
  remove: (name) => unlinkPosix(name),
  remover: (name) => ({ call: 'mq_unlink', target: name }),
};

registerReaper(KIND, reaper);
