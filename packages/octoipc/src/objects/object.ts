import type { Use } from './process-table.js';

/** What there is for processes to talk by, each with the scheme of its URL. */
export const KINDS = [
  'mq',
  'sysv-mq',
  'sem',
  'sysv-sem',
  'shm',
  'sysv-shm',
  'mutex',
  'rwlock',
  'condition',
  'barrier',
  'ring',
  'broadcast',
  'value',
  'fifo',
  'unix',
  'pipe',
  'memfd',
] as const;

/** A kind of objects. */
export type Kind = (typeof KINDS)[number];

/** An object as `octoipc ls --json` prints it. */
export interface IpcObject {
  readonly kind: Kind;
  readonly url: string;
  /** The kernel's number of a System V object. */
  readonly id?: number;
  /** The key of a System V object, unsigned; 0 for a private one. */
  readonly key?: number;
  /** Permission bits; null where nobody whom this user may look at has it open. */
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** Bytes: of memory its size, of a queue those of its messages. */
  readonly size?: number;
  readonly messages?: number;
  /** Living processes that have it open or mapped, or used it last, of those that this user may look at. */
  readonly holders: readonly number[];
  /** Whether nobody who lives has it, and nobody is to be expected to come back to it. */
  readonly orphaned: boolean;
}

/** An object with what people want to know beside. */
export interface Entry extends IpcObject {
  /** Its name as it is, where it has one. */
  readonly name?: string;
  /** The number by which /proc names it. */
  readonly inode?: number;
  /** How its holders have it, where that can be seen. */
  readonly uses: readonly Use[];
  /** What its state is, a few words each. */
  readonly remarks: readonly string[];
  /** What only this kind has. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What has happened to it since it was made, by name: of two looks, the difference is a rate. */
  readonly counters?: Readonly<Record<string, number>>;
}

/**
 * What `ls --json` prints of an object, and nothing else.
 *
 * @param entry - the object, and more
 * @returns the object
 */
export function plain(entry: Entry): IpcObject {
  const { kind, url, id, key, mode, uid, gid, size, messages, holders, orphaned } = entry;
  return {
    kind,
    url,
    ...(id === undefined ? {} : { id }),
    ...(key === undefined ? {} : { key }),
    mode,
    uid,
    gid,
    ...(size === undefined ? {} : { size }),
    ...(messages === undefined ? {} : { messages }),
    holders,
    orphaned,
  };
}
