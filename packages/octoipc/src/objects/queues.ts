import { statSync } from 'node:fs';

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
