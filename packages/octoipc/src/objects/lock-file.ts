import { isZombie } from './process-info.js';

/** The locks of docs/layout.md: the number that stands in the head of each. */
const NUMBERS = { mutex: 0x101, rwlock: 0x102, condition: 0x103, barrier: 0x104 } as const;

/** A kind of locks. */
export type LockKind = keyof typeof NUMBERS;

/** The kinds of locks. */
export const LOCK_KINDS = Object.keys(NUMBERS) as LockKind[];

/** The bytes `OIPL`. */
const MAGIC = 0x4c50_494f;
/** Where words and bytes are: docs/layout.md. */
const WORD = { held: 0, owner: 4, dead: 8, state: 12, magic: 16, kind: 20, first: 40, round: 44 };
const USED = 48;
const HEAD = 64;
const SLOT = 16;
const SLOTS = 1016;
const NAME_ROOM = 256;

/** So much of a file holds the largest lock, and its name. */
export const LOCK_BYTES: number = HEAD + SLOTS * SLOT + NAME_ROOM;

const WAITERS = 0x8000_0000;
const OWNER_DIED = 0x4000_0000;
const TID = 0x3fff_ffff;
const POISONED = 0x3fff_ffff;

/** Who holds a lock; `alive` is null where its pid is of another pid namespace. */
export interface Owner {
  readonly pid: number;
  readonly alive: boolean | null;
}

/** Who holds a lock, and who waits for it. */
export interface LockState {
  readonly remarks: readonly string[];
  readonly owner?: Owner | null;
  readonly unrecoverable?: boolean;
  /** Whether somebody sleeps on the lock's word. */
  readonly awaited?: boolean;
  /** Processes that read, wait or have arrived. */
  readonly slots?: readonly number[];
  readonly parties?: number;
  readonly round?: number;
}

/**
 * The state of a lock, read from its file.
 *
 * @param head - the file
 * @param kind - of the lock
 * @param has - whether a process has the file mapped, or may have
 * @returns what the words say
 */
export function lockState(head: Buffer, kind: LockKind, has: (pid: number) => boolean): LockState {
  if (!isLock(head, kind)) return { remarks: [] };
  const word = head.readUInt32LE(WORD.held);
  const slots = kind === 'mutex' ? {} : { slots: heldSlots(head, kind) };
  const awaited = word !== POISONED && (word & WAITERS) !== 0;
  if (kind === 'condition') return { remarks: waiting(slots.slots), awaited, ...slots };
  if (kind === 'barrier') {
    const parties = head.readUInt32LE(WORD.first);
    const round = head.readUInt32LE(WORD.round);
    const arrived = slots.slots?.length ?? 0;
    return { remarks: [`${arrived} of ${parties} arrived`], parties, round, awaited, ...slots };
  }
  const unrecoverable = word === POISONED;
  const owner = unrecoverable ? null : ownerIn(head, word, has);
  const readers = slots.slots?.length ?? 0;
  return {
    remarks: [
      ...(unrecoverable ? ['unrecoverable'] : owner === null ? [] : [ownerRemark(owner)]),
      ...(readers > 0 ? [`${readers} reading`] : []),
      ...(owner === null && readers === 0 && !unrecoverable ? ['free'] : []),
      ...(awaited ? ['awaited'] : []),
    ],
    owner,
    unrecoverable,
    awaited,
    ...slots,
  };
}

/** Whether a file begins with a lock of this kind. */
export function isLock(head: Buffer, kind: LockKind): boolean {
  return (
    head.length >= HEAD &&
    head.readUInt32LE(WORD.magic) === MAGIC &&
    head.readUInt32LE(WORD.kind) === NUMBERS[kind]
  );
}

/** The name that stands behind a lock; undefined where the file does not reach so far. */
export function nameInLock(head: Buffer, kind: LockKind): string | undefined {
  const at = kind === 'mutex' ? HEAD : HEAD + SLOTS * SLOT;
  if (head.length < at + NAME_ROOM) return undefined;
  const room = head.subarray(at, at + NAME_ROOM);
  return room.toString('utf8', 0, room.indexOf(0));
}

function ownerIn(head: Buffer, word: number, has: (pid: number) => boolean): Owner | null {
  const pid = head.readUInt32LE(WORD.owner);
  if (pid === 0) {
    const dead = head.readUInt32LE(WORD.state) === 1 ? head.readUInt32LE(WORD.dead) : 0;
    return dead === 0 ? null : { pid: dead, alive: false };
  }
  if ((word & TID) === 0) return (word & OWNER_DIED) === 0 ? null : { pid, alive: false };
  if (isZombie(pid)) return { pid, alive: false };
  // The kernel marks the word of a thread that ends: some thread has it. Who has it here has the file, too.
  return { pid, alive: has(pid) ? true : null };
}

function ownerRemark({ pid, alive }: Owner): string {
  if (alive === null) return `held by ${pid} of another pid namespace`;
  if (alive) return `held by ${pid}`;
  return isZombie(pid) ? `held by ${pid}, a zombie` : `left by ${pid}, who died`;
}

function waiting(slots: readonly number[] | undefined): string[] {
  return [`${slots?.length ?? 0} waiting`];
}

/** The processes in slots that somebody has, and that mean what the lock is for. */
function heldSlots(head: Buffer, kind: LockKind): number[] {
  const used = Math.min(head.readUInt32LE(USED), SLOTS, Math.floor((head.length - HEAD) / SLOT));
  const pids: number[] = [];
  for (let slot = 0; slot < used; slot++) {
    const at = HEAD + slot * SLOT;
    const held = (head.readUInt32LE(at) & TID) !== 0;
    const counts = kind === 'rwlock' || head.readUInt32LE(at + 4) === 1;
    const now = kind !== 'barrier' || head.readUInt32LE(at + 8) === head.readUInt32LE(WORD.round);
    if (held && counts && now) pids.push(head.readUInt32LE(at + 12));
  }
  return pids;
}
