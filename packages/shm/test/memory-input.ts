import type { BadInputSubject } from '@octoipc/conformance';
import type { Memory } from '@octoipc/shm';

/** Sizes that are large, but no mistake: they fail for want of memory, or are rare. */
export const accepting = (size: number): boolean => size === 2 ** 31;

const isWait = (milliseconds: number): boolean => milliseconds >= 0;

/** A word's value may be negative, or unsigned. */
const isValue = (value: number): boolean => value === -1 || value === 2 ** 31;

/** What can be passed wrongly of any memory. */
export function inputOfMemory(memory: Memory): {
  numbers: NonNullable<BadInputSubject['numbers']>;
  options: NonNullable<BadInputSubject['options']>;
  waits: NonNullable<BadInputSubject['waits']>;
  methods: readonly PropertyKey[];
} {
  return {
    numbers: {
      'view(Uint8Array, byteOffset)': (offset: never) => memory.view(Uint8Array, offset),
      'view(Uint8Array, 0, length)': (length: never) => memory.view(Uint8Array, 0, length),
      'read(byteOffset)': (offset: never) => memory.read(offset),
      'read(0, length)': (length: never) => memory.read(0, length),
      'write(byteOffset)': (offset: never) => memory.write(offset, 'x'),
      'wait(byteOffset)': (offset: never) => memory.wait(offset, 0),
      'wait(0, expected)': { call: (value: never) => memory.wait(0, value), accepts: isValue },
      'wait({ timeout })': {
        call: (timeout: never) => memory.wait(0, 0, { timeout }),
        accepts: isWait,
      },
      'waitSync(byteOffset)': (offset: never) => memory.waitSync(offset, 0),
      'waitSync({ timeout })': {
        call: (timeout: never) => memory.waitSync(0, 0, { timeout }),
        accepts: isWait,
      },
      'notify(byteOffset)': (offset: never) => memory.notify(offset),
      'notify(0, count)': (count: never) => memory.notify(0, count),
      'sync({ byteOffset })': (byteOffset: never) => memory.sync({ byteOffset }),
      'sync({ length })': (length: never) => memory.sync({ length }),
      'advise({ length })': (length: never) => memory.advise('normal', { length }),
    },
    options: {
      'wait()': (options: never) => memory.wait(0, 0, options),
      'waitSync()': (options: never) => memory.waitSync(0, 0, options),
      'sync()': (options: never) => memory.sync(options),
      'advise()': (options: never) => memory.advise('normal', options),
    },
    waits: { 'wait()': (options: never) => memory.wait(0, 0, options) },
    methods: (
      'buffer bytes byteLength shared readOnly view read write wait waitSync notify sync advise ' +
      'lockInMemory unlockFromMemory close closed ref unref'
    ).split(' '),
  };
}
