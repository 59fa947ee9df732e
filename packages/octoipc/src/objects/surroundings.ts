import type { IpcError, ReapReport } from '@octoipc/core';

import type { Entry } from './object.js';
import { ProcessTable } from './process-table.js';
import { Temporaries } from './temporaries.js';

/** What is known of an object before it is judged. */
export type Unjudged = Omit<Entry, 'orphaned' | 'remarks'> & {
  readonly remarks?: readonly string[];
  /** Whether somebody had it once: what nobody has had yet may be waiting for its first user. */
  readonly wasUsed?: boolean;
  /** It goes with its last holder, so that nothing of it can be left. */
  readonly passing?: boolean;
};

/** What the objects of all kinds are judged by: processes, and records of temporary names. */
export class Surroundings {
  readonly processes: ProcessTable = new ProcessTable();
  readonly #temporaries = new Temporaries();

  /** Why no record of a temporary name is known, if so. */
  get refusal(): IpcError | undefined {
    return this.#temporaries.refusal;
  }

  /** The record of a temporary object. */
  recordOf(url: string): ReapReport | undefined {
    return this.#temporaries.of(url);
  }

  /**
   * Decides whether an object is orphaned: its record says that its owner is dead; or it has no record, was
   * used, and nobody who lives has it, nor could anybody who may not be looked at.
   */
  judge({ wasUsed = true, passing = false, remarks = [], ...rest }: Unjudged): Entry {
    const record = this.recordOf(rest.url);
    const { uid, mode, holders } = rest;
    const abandoned =
      record === undefined
        ? wasUsed && !passing && !this.processes.couldHide(uid, mode)
        : record.removed;
    const orphaned = holders.length === 0 && abandoned;
    const temporary = record === undefined ? [] : [`temporary, of ${record.pid}`];
    return {
      ...rest,
      orphaned,
      remarks: [...remarks, ...temporary, ...(orphaned ? ['orphaned'] : [])],
    };
  }
}
