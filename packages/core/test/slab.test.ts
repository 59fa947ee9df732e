import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';

import { readIntoSlab } from '@octoipc/core/kit';
import { expect, test } from 'vitest';

import { transferAway } from './transferring.js';

const give = (size: number, value: number) => (memory: Buffer, offset: number, length: number) => {
  const count = Math.min(size, length);
  memory.fill(value, offset, offset + count);
  return count;
};

test('readIntoSlab(): each result is its own, however many follow', () => {
  const kept: Buffer[] = [];
  for (let i = 0; i < 2000; i++)
    kept.push(readIntoSlab(65_536, give(1 + ((i * 7919) % 9000), i % 256)) as Buffer);
  kept.forEach((buffer, i) => {
    expect(buffer.length).toBe(1 + ((i * 7919) % 9000));
    expect(buffer.every((byte) => byte === i % 256)).toBe(true);
  });
});

test('readIntoSlab(): no more than was asked for, in memory that a later read does not touch', () => {
  const first = readIntoSlab(10, give(100, 1)) as Buffer;
  const second = readIntoSlab(10, give(100, 2)) as Buffer;
  expect([first.length, second.length]).toEqual([10, 10]);
  expect(first.every((byte) => byte === 1)).toBe(true);
});

test('readIntoSlab(): a read over the slab gets all of its room', () => {
  for (const size of [256 * 1024, 256 * 1024 + 1, 1024 * 1024]) {
    let offered = 0;
    const buffer = readIntoSlab(size, (memory, offset, length) => {
      offered = length;
      return give(5, 9)(memory, offset, length);
    }) as Buffer;
    expect(buffer).toEqual(Buffer.alloc(5, 9));
    // The slab itself may be begun already.
    expect(offered).toBeGreaterThan(size > 256 * 1024 ? size - 1 : 16 * 1024 - 1);
  }
  expect((readIntoSlab(1_000_000, give(1_000_000, 3)) as Buffer).length).toBe(1_000_000);
});

test('readIntoSlab(): nothing and errors are passed on, and cost no room', () => {
  const spans: number[] = [];
  for (const result of [0, -11, -32]) {
    expect(
      readIntoSlab(100, (_, offset) => {
        spans.push(offset);
        return result;
      }),
    ).toBe(result);
  }
  expect(new Set(spans).size).toBe(1);
  expect(readIntoSlab(1_000_000, () => -11)).toBe(-11);
});

test('readIntoSlab(): a packet of PIPE_BUF always fits, wherever the slab stands', () => {
  for (let i = 0; i < 500; i++) {
    readIntoSlab(65_536, (memory, offset, length) => {
      expect(length).toBeGreaterThanOrEqual(4096);
      return give(4000 + (i % 97), 1)(memory, offset, length);
    });
  }
});

test('readIntoSlab(): what it gave cannot be transferred away from under what else is there', () => {
  const first = readIntoSlab(10, give(10, 1)) as Buffer;
  const second = readIntoSlab(10, give(10, 2)) as Buffer;
  expect(first.buffer).toBe(second.buffer);
  transferAway(first);
  expect(second).toEqual(Buffer.alloc(10, 2));
});

test('readIntoSlab(): a slab that was detached all the same is replaced', () => {
  const first = readIntoSlab(10, give(10, 1)) as Buffer;
  setFlagsFromString('--allow-natives-syntax');
  const detach = runInThisContext('(memory) => %ArrayBufferDetach(memory)') as (
    memory: unknown,
  ) => void;
  let refusal = 'detached';
  try {
    detach(first.buffer);
  } catch (error) {
    refusal = String(error);
  }
  // Later versions of Node lock what cannot be transferred: then nobody detaches it.
  expect(refusal).toMatch(/^detached$|ArrayBufferDetachKey/);
  expect(first).toHaveLength(refusal === 'detached' ? 0 : 10);
  for (const value of [2, 3]) {
    expect(readIntoSlab(10, give(10, value))).toEqual(Buffer.alloc(10, value));
  }
});
