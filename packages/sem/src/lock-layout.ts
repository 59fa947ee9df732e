/**
 * The bytes of locks in shared memory, as docs/layout.md specifies them. A word has 32 bits, little-endian; a
 * word that a thread can hold contains the thread's id, and these bits of futex(2).
 */

/** Somebody sleeps on the word. */
export const WAITERS = -0x8000_0000;
/** Its holder died: the kernel's own mark. */
export const OWNER_DIED = 0x4000_0000;
/** Which thread holds the word; 0: none. */
export const TID = 0x3fff_ffff;
/** What a word holds that is beyond repair: no thread has this id. */
export const POISONED = 0x3fff_ffff;

/** Words of the head, by their index. */
export const WORD = 0;
/** Process id of the owner while it is inside; of the last one, if that died inside. */
export const OWNER = 1;
/** Process id of the owner that died, while the state is not clean. */
export const DEAD = 2;
/** 1 from an owner's death until `markConsistent()`. */
export const STATE = 3;
export const MAGIC = 4;
export const KIND = 5;
/** Condition: the next ticket. Barrier: parties. */
export const FIRST = 10;
/** Barrier: its generation, which its waiters sleep on. */
export const GENERATION = 11;
/** How many slots were ever used: the others need not be looked at. */
export const USED = 12;
/** What the holder's thread has chosen at random: another pid namespace may have a thread of the same id. */
export const HOLDER = 13;

/** `OIPL`, stored last. */
export const MAGIC_VALUE = 0x4c50_494f;

/** Bytes of the head, which is all that a mutex has. */
export const HEAD = 64;
/** Slots: those who read, or wait, each with a word that it holds. */
export const SLOTS = 1016;
const SLOT_WORDS = 4;
/** Bytes of a lock with slots. */
export const WITH_SLOTS: number = HEAD + SLOTS * SLOT_WORDS * 4;

/** Words of a slot, from its first. */
export const SLOT_STATE = 1;
/** Condition: its place in the line. Barrier: the round. Lock: what `HOLDER` is of the lock. */
export const SLOT_TICKET = 2;
export const SLOT_OWNER = 3;

/** The index of a slot's first word, which is the one that its user holds. */
export function slotAt(slot: number): number {
  return HEAD / 4 + slot * SLOT_WORDS;
}

/** What a lock is. */
export type LockKind = 'mutex' | 'rwlock' | 'condition' | 'barrier';

/** The kinds of locks: their number, which stands in the head with the layout's version, and their size. */
export const KINDS: Readonly<Record<LockKind, { readonly number: number; readonly size: number }>> =
  {
    mutex: { number: 0x101, size: HEAD },
    rwlock: { number: 0x102, size: WITH_SLOTS },
    condition: { number: 0x103, size: WITH_SLOTS },
    barrier: { number: 0x104, size: WITH_SLOTS },
  };

/** Whether some thread holds a word with this value. */
export function isHeld(value: number): boolean {
  return (value & TID) !== 0 && value !== POISONED;
}
