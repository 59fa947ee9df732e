import { integer } from '@octoipc/core/kit';

/** The value of a 32-bit word, signed or not, as an Int32Array has it. */
export function wordValue(expected: number): number {
  return integer(expected, 'expected', -0x8000_0000, 0xffff_ffff) | 0;
}
