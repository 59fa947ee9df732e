import { closeSync, readdirSync, rmSync } from 'node:fs';

import { reap } from '@octoipc/core';
import { TemporaryName } from '@octoipc/core/kit';
import { describe, expect, it } from 'vitest';

import { afterCreate, hold, ownRecords } from './records.js';

const NAME = '/octoipc-claimed';

describe('TemporaryName.claim(), while others look at its record', () => {
  it('succeeds while reap() looks at each file before it is locked', () => {
    let looks = 0;
    afterCreate(() => {
      looks++;
      reap();
    });
    const name = TemporaryName.claim('test-file', NAME);
    expect(looks).toBe(1);
    expect(ownRecords()).toMatchObject({ open: { length: 1 }, files: { length: 1 } });
    name.release();
    expect(ownRecords()).toEqual({ open: [], files: [] });
  });

  it('tries again while somebody else has the lock, and leaves nothing of the first attempt', () => {
    const held: number[] = [];
    afterCreate((unfinished) => {
      if (held.length < 3) held.push(hold(unfinished));
    });
    const name = TemporaryName.claim('test-file', NAME);
    held.forEach((fd) => closeSync(fd));
    expect(held).toHaveLength(3);
    expect(ownRecords()).toMatchObject({ open: { length: 1 }, files: { length: 1 } });
    name.release();
    expect(ownRecords()).toEqual({ open: [], files: [] });
  });

  it('throws EAGAIN in the end when the lock is never free', () => {
    const held: number[] = [];
    afterCreate((unfinished) => held.push(hold(unfinished)));
    expect(() => TemporaryName.claim('test-file', NAME)).toThrow(
      expect.objectContaining({ name: 'IpcError', code: 'EAGAIN', syscall: 'fcntl' }),
    );
    expect(held.length).toBeGreaterThan(1);
    held.forEach((fd) => closeSync(fd));
    expect(ownRecords()).toEqual({ open: [], files: [] });
  });

  it('tries again when its folder went away, and then throws ENOENT', () => {
    let gone = 0;
    afterCreate((unfinished) => {
      gone++;
      rmSync(unfinished);
    });
    expect(() => TemporaryName.claim('test-file', NAME)).toThrow(
      expect.objectContaining({ name: 'IpcError', code: 'ENOENT', errno: -2, syscall: 'rename' }),
    );
    expect(gone).toBeGreaterThan(1);
    expect(ownRecords()).toEqual({ open: [], files: [] });
  });

  it('leaves no descriptor open when its file is removed under it time and again', () => {
    const before = readdirSync('/proc/self/fd').length;
    let gone = 0;
    afterCreate((unfinished) => {
      if (gone++ < 5) rmSync(unfinished);
    });
    TemporaryName.claim('test-file', NAME).release();
    expect(gone).toBe(6);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});
