import type { IpcError } from '@octoipc/core';

import { takeInventory } from '../objects/inventory.js';
import { isZombie } from '../objects/process-info.js';
import type { Owner } from '../objects/lock-file.js';
import type { Entry } from '../objects/object.js';
import type { Finding } from './diagnosis.js';

/** What is left of processes that died. */
export function objectFindings(): Finding[] {
  const { entries, around } = takeInventory();
  const orphans = entries.filter(({ orphaned }) => orphaned);
  const temporary = orphans.filter(({ remarks }) =>
    remarks.some((remark) => remark.startsWith('temporary')),
  );
  return [
    count('temporary objects of dead owners', temporary, 'octoipc reap removes them'),
    count(
      'other objects that nobody has',
      orphans.filter((entry) => !temporary.includes(entry)),
      'octoipc ls --orphaned shows them; octoipc rm URL removes one that nobody needs',
    ),
    ...recordFindings(around.refusal),
    ...entries.flatMap(lockFindings),
  ];
}

function count(name: string, entries: readonly Entry[], remedy: string): Finding {
  if (entries.length === 0) return { name, value: 0, level: 'ok' };
  return { name, value: entries.length, level: 'note', remedy };
}

/** What keeps `reap` from its records. */
function recordFindings(refusal: IpcError | undefined): Finding[] {
  const name = 'records of temporary names';
  if (refusal === undefined) return [{ name, level: 'ok' }];
  const { message, hint = 'octoipc reap says more' } = refusal;
  return [{ name, value: message, level: 'warning', remedy: hint }];
}

/** Locks that somebody holds who will not give them back. */
function lockFindings({ url, details }: Entry): Finding[] {
  if (details['unrecoverable'] === true) {
    const remedy = 'repair what it protects, then Mutex.reset() or RwLock.reset()';
    return [{ name: url, value: 'unrecoverable', level: 'warning', remedy }];
  }
  const owner = details['owner'] as Owner | null | undefined;
  if (owner?.alive !== false) return [];
  if (!isZombie(owner.pid)) {
    const remedy = 'whoever locks it next is told, and can repair what it protects';
    return [{ name: url, value: `its owner ${owner.pid} died`, level: 'note', remedy }];
  }
  const remedy = `process ${owner.pid} has ended, and a thread of it has not, or its parent does not wait for it: end the parent, or let it call wait(2)`;
  return [{ name: url, value: `held by ${owner.pid}, a zombie`, level: 'warning', remedy }];
}
