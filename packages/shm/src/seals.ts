import { oneOf } from '@octoipc/core/kit';

/** What can be forbidden of a memfd for good: see fcntl(2), F_ADD_SEALS. */
export type Seal = 'shrink' | 'grow' | 'write' | 'future-write' | 'seal';

const BITS: Readonly<Record<Seal, number>> = {
  seal: 0x01,
  shrink: 0x02,
  grow: 0x04,
  write: 0x08,
  'future-write': 0x10,
};

const SEALS = Object.keys(BITS) as Seal[];

/** The kernel's bits of some seals. */
export function sealBits(seals: readonly Seal[], name = 'seals'): number {
  let bits = 0;
  for (const seal of seals) bits |= BITS[oneOf(seal, name, SEALS)];
  return bits;
}

/** The seals of the kernel's bits. */
export function sealsOf(bits: number): Seal[] {
  return SEALS.filter((seal) => (bits & BITS[seal]) !== 0);
}
