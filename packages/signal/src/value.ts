import { integer, optionsObject, rangeError, typeError } from '@octoipc/core/kit';

/** How to send. */
export interface SendOptions {
  /**
   * A value to go with it: a whole number of 32 bits with its sign, or, as a bigint, all 64 bits of a pointer.
   * The signal is then queued (sigqueue(3)).
   *
   * @default none
   */
  readonly value?: number | bigint | undefined;
}

/** A value in two words. */
export interface Words {
  readonly low: number;
  readonly high: number;
}

/** The value that options ask for, in two words. */
export function wordsOfValue(options: SendOptions | undefined): Words | undefined {
  const { value } = optionsObject(options);
  if (value === undefined) return undefined;
  if (typeof value === 'bigint') {
    if (value < -(2n ** 63n) || value >= 2n ** 64n) {
      throw rangeError('options.value', 'a bigint of 64 bits', value);
    }
    return {
      low: Number(BigInt.asIntN(32, value)),
      high: Number(BigInt.asIntN(32, value >> 32n)),
    };
  }
  if (typeof value !== 'number') throw typeError('options.value', 'a number or a bigint', value);
  return { low: integer(value, 'options.value', -(2 ** 31), 2 ** 31 - 1), high: 0 };
}
