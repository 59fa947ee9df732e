import { isIpcError, reap, type IpcError, type ReapReport } from '@octoipc/core';

import { mq, sem, shm } from '../index.js';
import type { Kind } from './object.js';
import { urlOfName, urlOfSysv } from './address.js';

/** The kinds of records, by what they are records of. */
const RECORDS: Readonly<Record<string, Kind>> = {
  'posix-mq': 'mq',
  'sysv-mq': 'sysv-mq',
  'posix-sem': 'sem',
  'sysv-sem': 'sysv-sem',
  'posix-shm': 'shm',
  'sysv-shm': 'sysv-shm',
  mutex: 'mutex',
  rwlock: 'rwlock',
  condition: 'condition',
  barrier: 'barrier',
};

/** Loads the packages that know how to remove temporary names: `reap` looks after those alone. */
export function loadReapers(): void {
  for (const namespace of [mq, sem, shm]) Object.keys(namespace);
}

/**
 * The URL of what a record tells of.
 *
 * @param report - of the record
 * @returns the URL; undefined for a kind that this command does not know
 */
export function urlOfRecord({ kind, name }: Pick<ReapReport, 'kind' | 'name'>): string | undefined {
  const known = RECORDS[kind];
  if (known === undefined) return undefined;
  return known.startsWith('sysv-') ? urlOfSysv(known, Number(name), 0) : urlOfName(known, name);
}

/** This user's temporary names: whose each is, and whether he lives. */
export class Temporaries {
  /** Why nothing is known of them, if so: another user may have taken the place of their records. */
  readonly refusal: IpcError | undefined;
  readonly #reports = new Map<string, ReapReport>();

  constructor() {
    loadReapers();
    try {
      for (const report of reap({ dryRun: true })) {
        const url = urlOfRecord(report);
        if (url !== undefined) this.#reports.set(url, report);
      }
    } catch (error) {
      if (!isIpcError(error)) throw error;
      this.refusal = error;
    }
  }

  /** The record of the object with this URL. */
  of(url: string): ReapReport | undefined {
    return this.#reports.get(url);
  }
}
