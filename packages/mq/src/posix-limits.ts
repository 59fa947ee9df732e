import { closeSync, openSync, readFileSync } from 'node:fs';

import type { IpcError } from '@octoipc/core';
import { codeOfErrno, errorOf } from '@octoipc/core/kit';

import { binding } from './binding.js';

/** What this system allows POSIX queues; `null` where it does not tell. */
export interface PosixQueueLimits {
  /** The most messages that a queue may hold: fs.mqueue.msg_max. */
  readonly maxMessages: number | null;
  /** The longest message that a queue may take, in bytes: fs.mqueue.msgsize_max. */
  readonly maxMessageSize: number | null;
  /** `maxMessages` of a queue that is created without: fs.mqueue.msg_default. */
  readonly defaultMaxMessages: number | null;
  /** `maxMessageSize` of a queue that is created without: fs.mqueue.msgsize_default. */
  readonly defaultMaxMessageSize: number | null;
  /** The most queues in this IPC namespace: fs.mqueue.queues_max. */
  readonly maxQueues: number | null;
  /** The bytes of all queues of this user: RLIMIT_MSGQUEUE; `Infinity` if there is no such limit. */
  readonly maxBytes: number;
  /** The highest priority. */
  readonly maxPriority: number;
}

/** MQ_PRIO_MAX - 1. */
export const MAX_PRIORITY = 32_767;

/** The limits of this moment. */
export function posixLimits(): PosixQueueLimits {
  const bytes = binding().messageBytesLimit();
  return {
    maxMessages: knob('msg_max'),
    maxMessageSize: knob('msgsize_max'),
    defaultMaxMessages: knob('msg_default'),
    defaultMaxMessageSize: knob('msgsize_default'),
    maxQueues: knob('queues_max'),
    maxBytes: bytes >= Number.MAX_SAFE_INTEGER ? Infinity : bytes,
    maxPriority: MAX_PRIORITY,
  };
}

function knob(name: string): number | null {
  try {
    return Number(readFileSync(`/proc/sys/fs/mqueue/${name}`, 'latin1'));
  } catch {
    return null;
  }
}

/** What the kernel charges its user for a queue: getrlimit(2). */
function bytesOf(maxMessages: number, maxMessageSize: number): number {
  return maxMessages * (maxMessageSize + 48) + Math.min(maxMessages, 32_768) * 48;
}

/** Attributes for a new queue: what was asked for, completed with the system's defaults. */
export interface NewAttributes {
  readonly maxMessages: number;
  readonly maxMessageSize: number;
}

/** Completes attributes; 0 and 0 if none was asked for, so that the kernel chooses. */
export function completeAttributes(
  maxMessages: number | undefined,
  maxMessageSize: number | undefined,
): NewAttributes {
  if (maxMessages === undefined && maxMessageSize === undefined) {
    return { maxMessages: 0, maxMessageSize: 0 };
  }
  return {
    maxMessages: maxMessages ?? Math.min(knob('msg_default') ?? 10, knob('msg_max') ?? Infinity),
    maxMessageSize:
      maxMessageSize ?? Math.min(knob('msgsize_default') ?? 8192, knob('msgsize_max') ?? Infinity),
  };
}

/**
 * The error of a mq_open that failed, with its remedy.
 *
 * @param result - -errno
 * @param name - of the queue
 * @param asked - its attributes, if it was to be created
 * @returns the error
 */
export function openError(result: number, name: string, asked?: NewAttributes): IpcError {
  const hint = HINTS[codeOfErrno(result)]?.(name, asked);
  return errorOf(result, 'mq_open', { target: name, hint });
}

type Hint = (name: string, asked: NewAttributes | undefined) => string | undefined;

const HINTS: Readonly<Record<string, Hint>> = {
  ENOENT: () => 'there is no such queue: pass { create: true } to make it',
  EEXIST: () => 'it exists: leave out `exclusive` to open it, or unlink it first',
  EACCES: (name) =>
    `the mode of ${name} does not let this user in: its creator chooses another \`mode\`, or open it with less \`access\``,
  EINVAL: (_, asked) => (asked === undefined ? undefined : overTheLimit(asked)),
  EMFILE: (_, asked) => (descriptorsAreOut() ? noDescriptors() : noBytes(asked)),
  ENFILE: () => 'the system has no file left: raise fs.file-max',
  ENOSPC: () =>
    `there are fs.mqueue.queues_max (${knob('queues_max')}) queues: unlink some, or raise /proc/sys/fs/mqueue/queues_max`,
  ENOSYS: () => 'this kernel was built without POSIX queues (CONFIG_POSIX_MQUEUE)',
};

function overTheLimit({ maxMessages, maxMessageSize }: NewAttributes): string | undefined {
  const over = (
    [
      ['maxMessages', maxMessages, 'msg_max'],
      ['maxMessageSize', maxMessageSize, 'msgsize_max'],
    ] as const
  ).flatMap(([option, value, name]) => {
    const limit = knob(name);
    return limit !== null && value > limit
      ? [
          `${option} ${value} is over fs.mqueue.${name} ${limit}: ask for less, or raise /proc/sys/fs/mqueue/${name}`,
        ]
      : [];
  });
  return over.length === 0 ? undefined : over.join('; ');
}

/** Both limits answer EMFILE; only one of them also keeps /dev/null from being opened. */
function descriptorsAreOut(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'EMFILE';
  }
}

function noDescriptors(): string {
  return `this process has no descriptor left (RLIMIT_NOFILE ${binding().descriptorLimit()}): close some, or raise the limit`;
}

function noBytes(asked: NewAttributes | undefined): string {
  const limit = binding().messageBytesLimit();
  if (asked === undefined) return `RLIMIT_MSGQUEUE (${limit} bytes) is used up`;
  const given =
    asked.maxMessages > 0 ? asked : completeAttributes(knob('msg_default') ?? 10, undefined);
  const bytes = bytesOf(given.maxMessages, given.maxMessageSize);
  return `this queue takes ${bytes} bytes of RLIMIT_MSGQUEUE (${limit} for all queues of this user): ask for fewer maxMessages or a smaller maxMessageSize, unlink and close other queues, or raise the limit`;
}
