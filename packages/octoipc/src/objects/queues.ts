import { fstatSync, statSync } from 'node:fs';

import { isIpcError } from '@octoipc/core';

import { mq } from '../index.js';
import { urlOfName, urlOfSysv } from './address.js';
import { fileKey } from './mapped-files.js';
import type { Entry } from './object.js';
import { heldBy, queueFolder, type ProcessTable } from './process-table.js';
import type { Surroundings } from './surroundings.js';

/**
 * The POSIX message queues.
 *
 * @param around - processes and records
 * @returns an entry for each
 */
export function posixQueues(around: Surroundings): Entry[] {
  const folder = queueFolder();
  return mq.PosixQueue.list({ holders: folder === undefined }).map((info) => {
    const { name, mode, uid, gid, bytes, currentMessages, notifyPid, holders, ...rest } = info;
    return around.judge({
      kind: 'mq',
      url: urlOfName('mq', name),
      name,
      mode,
      uid,
      gid,
      ...(bytes === null ? {} : { size: bytes }),
      ...(currentMessages === null ? {} : { messages: currentMessages }),
      ...(folder === undefined
        ? { holders, uses: [] }
        : heldQueue(around.processes, `${folder}${name}`)),
      remarks: notifyPid === null ? [] : [`notifies ${notifyPid}`],
      details: { maxMessages: rest.maxMessages, maxMessageSize: rest.maxMessageSize, notifyPid },
      ...(currentMessages === null ? {} : { counters: { messages: currentMessages } }),
    });
  });
}

/**
 * A queue that nobody has open, where its file system is not mounted: its name alone leads to it.
 *
 * @param name - of the queue
 * @param around - processes and records
 * @returns an entry, or undefined if there is none
 */
export function unopenedQueue(name: string, around: Surroundings): Entry | undefined {
  const queue = openedQueue(name);
  if (queue === undefined) return undefined;
  try {
    const { mode, uid, gid } = fstatSync(queue.fd);
    const { maxMessages, maxMessageSize, currentMessages: messages } = queue.attributes;
    return around.judge({
      kind: 'mq',
      url: urlOfName('mq', name),
      name,
      mode: mode & 0o777,
      uid,
      gid,
      messages,
      holders: [],
      uses: [],
      details: { maxMessages, maxMessageSize, notifyPid: null },
      counters: { messages },
    });
  } finally {
    queue.close();
  }
}

function openedQueue(name: string): ReturnType<typeof mq.PosixQueue.open> | undefined {
  try {
    return mq.PosixQueue.open(name, { access: 'receive' });
  } catch (error) {
    if (isIpcError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function heldQueue(processes: ProcessTable, path: string): ReturnType<typeof heldBy> {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return heldBy(undefined); // It was unlinked since.
  return heldBy(processes.files.get(fileKey(status.dev, status.ino)));
}

/** The System V message queues, whose holders are who used them last: the kernel knows no others. */
export function sysvQueues(around: Surroundings): Entry[] {
  return mq.SysvQueue.list().map((info) => {
    const { id, key, mode, uid, gid, bytes, messages, lastSender, lastReceiver } = info;
    const { lastSendTime, lastReceiveTime, changeTime, maxBytes, creatorUid, creatorGid } = info;
    const users = [
      [lastSender?.pid, lastSendTime],
      [lastReceiver?.pid, lastReceiveTime],
    ] as const;
    const living = users.flatMap(([pid, since]) =>
      pid !== undefined && around.processes.lives(pid, since) ? [pid] : [],
    );
    return around.judge({
      kind: 'sysv-mq',
      url: urlOfSysv('sysv-mq', key, id),
      id,
      key,
      mode,
      uid,
      gid,
      size: bytes,
      messages,
      holders: [...new Set(living)],
      uses: [],
      wasUsed: lastSender !== null || lastReceiver !== null,
      details: {
        maxBytes,
        lastSender: lastSender?.pid ?? null,
        lastReceiver: lastReceiver?.pid ?? null,
        lastSendTime,
        lastReceiveTime,
        changeTime,
        creatorUid,
        creatorGid,
      },
      counters: { messages },
    });
  });
}
