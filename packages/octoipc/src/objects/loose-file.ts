import { lstatSync, type Stats } from 'node:fs';

import { urlOfName, type Address } from './address.js';
import { isBoundElsewhere } from './bound-elsewhere.js';
import type { Entry } from './object.js';
import type { Surroundings } from './surroundings.js';

/** What a path is that nobody has open: a FIFO without ends, a socket's file without a server. */
export function looseFile({ kind, name }: Address, around: Surroundings): Entry | undefined {
  if (name === undefined || name.startsWith('@')) return undefined;
  const status = kind === 'fifo' || kind === 'unix' ? statusOf(name) : undefined;
  const right = kind === 'fifo' ? status?.isFIFO() : status?.isSocket();
  if (status === undefined || right !== true) return undefined;
  const { mode, uid, gid, ino: inode } = status;
  const entry = {
    kind,
    url: urlOfName(kind, name),
    name,
    inode,
    mode: mode & 0o777,
    uid,
    gid,
    holders: [],
    uses: [],
  };
  if (kind === 'fifo') {
    const unsure = around.processes.couldHide(uid, mode) ? ' of those that may be looked at' : '';
    const remarks = [`nobody${unsure} has it open`];
    return around.judge({ ...entry, passing: true, remarks, details: { path: name } });
  }
  const bound = isBoundElsewhere(name);
  return around.judge({
    ...entry,
    // Without a socket it is what a dead server left.
    passing: bound !== false,
    remarks: [STATE.get(bound)!],
    details: { path: name, bound: bound ?? null },
  });
}

const STATE: ReadonlyMap<boolean | undefined, string> = new Map([
  [true, 'a socket is bound to it by another path, or in another network namespace'],
  [false, 'stale: no socket is bound to it'],
  [undefined, 'whether a socket is bound to it cannot be told: this user may not connect to it'],
]);

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
