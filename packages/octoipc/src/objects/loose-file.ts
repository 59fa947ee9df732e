import { lstatSync, type Stats } from 'node:fs';

import { urlOfName, type Address } from './address.js';
import type { Entry } from './object.js';
import type { Surroundings } from './surroundings.js';

/** What a path is that nobody has open: a FIFO without ends, a socket's file without a server. */
export function looseFile({ kind, name }: Address, around: Surroundings): Entry | undefined {
  if (name === undefined || name.startsWith('@')) return undefined;
  const status = kind === 'fifo' || kind === 'unix' ? statusOf(name) : undefined;
  const right = kind === 'fifo' ? status?.isFIFO() : status?.isSocket();
  if (status === undefined || right !== true) return undefined;
  const { mode, uid, gid, ino: inode } = status;
  const unsure = around.processes.couldHide(uid, mode) ? ' of those that may be looked at' : '';
  return around.judge({
    kind,
    url: urlOfName(kind, name),
    name,
    inode,
    mode: mode & 0o777,
    uid,
    gid,
    holders: [],
    uses: [],
    // A FIFO waits for its users; a socket's file without a socket is what a dead server left.
    passing: kind === 'fifo',
    remarks: [kind === 'fifo' ? `nobody${unsure} has it open` : 'stale: no socket is bound to it'],
    details: { path: name },
  });
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
