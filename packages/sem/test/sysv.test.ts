import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { reap } from '@octoipc/core';
import { reapName } from '@octoipc/core/kit';
import { SysvSemaphoreSet, type SysvOperation } from '@octoipc/sem';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { reapAlone } from '../../core/test/reaping.js';
import { asNobody } from '../../core/test/stranger.js';
import { freshKey, isPending, set, until } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const operation = (index: number, delta: number, more = {}): SysvOperation => ({
  index,
  delta,
  ...more,
});

const hex = (key: number): string => `0x${key.toString(16).padStart(8, '0')}`;
const unfinished = (key: number, removed: boolean) => ({
  kind: 'sysv-sem',
  name: hex(key),
  removed,
});

/** Runs a maker that is killed at some step. */
function dying(key: number, step: string): void {
  const file = fileURLToPath(new URL('./fixtures/dying-maker.mjs', import.meta.url));
  const { signal, stderr } = spawnSync(process.execPath, [file, String(key), step]);
  expect({ signal, stderr: String(stderr) }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

/** Removes the set of a key at the end of the test, and the record of who made it. */
function removing(key: number): void {
  onTestFinished(() => {
    for (const each of SysvSemaphoreSet.list()) {
      if (each.key === key) SysvSemaphoreSet.remove(each.id);
    }
    reapName('sysv-sem', hex(key));
  });
}

describe('SysvSemaphoreSet.open()', () => {
  test('SVSEM-001 SVSEM-035: a new set has its count, its mode and its values, and is ready', () => {
    using made = SysvSemaphoreSet.open('private', { temporary: true, count: 3, mode: 0o640 });
    expect(made.stat()).toMatchObject({ count: 3, mode: 0o640 });
    expect(made.values).toEqual([0, 0, 0]);
    const { operateTime } = made.stat();
    expect(operateTime).not.toBeNull();
    made.set(1, 5);
    expect(made.stat().operateTime).toEqual(operateTime);
  });

  test('SVSEM-003: refuses sets of 0 and of 32,001', () => {
    for (const count of [0, -1, 32_001]) {
      expect(() => SysvSemaphoreSet.open('private', { temporary: true, count })).toThrow(
        code('ERR_OUT_OF_RANGE'),
      );
    }
  });

  test('SVSEM-004: an existing set must have as many semaphores as are asked for', () => {
    const key = freshKey();
    using _made = SysvSemaphoreSet.open(key, { temporary: true, exclusive: true, count: 2 });
    expect(() => SysvSemaphoreSet.open(key, { count: 3 })).toThrow(code('EINVAL'));
    using other = SysvSemaphoreSet.open(key);
    expect(other.count).toBe(2);
  });

  test('SVSEM-036: a set that its creator has not initialised is waited for, and not for ever', () => {
    const key = freshKey();
    const script = `my $id = semget(${key}, 1, 01600) // die $!; print $id`;
    const id = Number(execFileSync('perl', ['-e', script]).toString());
    onTestFinished(() => SysvSemaphoreSet.remove(id));
    expect(() => SysvSemaphoreSet.open(key)).toThrow(code('EAGAIN'));
    using raw = SysvSemaphoreSet.fromId(id);
    raw.set(0, 1);
    raw.tryOperate([operation(0, -1)]);
    using ready = SysvSemaphoreSet.open(key);
    expect(ready.values).toEqual([0]);
  });

  test.each(['made', 'valued'])(
    'a set whose maker was killed when it was %s is removed by reap(), and made anew by open({ create })',
    (step) => {
      reapAlone();
      const key = freshKey();
      removing(key);
      dying(key, step);
      expect(reap({ dryRun: true })).toContainEqual(expect.objectContaining(unfinished(key, true)));
      expect(reap()).toContainEqual(expect.objectContaining(unfinished(key, true)));
      expect(() => SysvSemaphoreSet.open(key)).toThrow(code('ENOENT'));
      dying(key, step);
      using made = SysvSemaphoreSet.open(key, { create: true, values: [1, 2] });
      expect(made.values).toEqual([1, 2]);
      expect(reap().filter(({ name }) => name === hex(key))).toEqual([]);
    },
  );

  test('a set that somebody has used, or given a value, is not taken for that of a maker who died', () => {
    reapAlone();
    const key = freshKey();
    removing(key);
    dying(key, 'made');
    const script = (what: string): string => `my $id = semget(${key}, 0, 0); ${what} // die $!`;
    execFileSync('perl', ['-e', script('semctl($id, 0, 16, 1)')]);
    expect(reap()).toContainEqual(expect.objectContaining(unfinished(key, false)));
    execFileSync('perl', ['-e', script('semop($id, pack("s3", 0, -1, 0))')]);
    expect(reap()).toContainEqual(expect.objectContaining(unfinished(key, false)));
    using there = SysvSemaphoreSet.open(key);
    expect(there.values).toEqual([0, 0]);
  });

  test('SVSEM-038: list() shows it, as ipcs(1) does', () => {
    using made = SysvSemaphoreSet.open('private', { temporary: true, count: 4 });
    const { id, key } = made;
    expect(SysvSemaphoreSet.list().find((one) => one.id === id)).toMatchObject({ key, count: 4 });
    expect(execFileSync('ipcs', ['-s', '-i', String(id)]).toString()).toMatch(/nsems = 4/);
  });

  test('SVSEM-006: limits() tells how many there can be', () => {
    expect(SysvSemaphoreSet.limits()).toMatchObject({
      operations: expect.any(Number),
      value: 32_767,
    });
  });

  test('SVSEM-005 SVSEM-019 SVSEM-034: modes keep others out', (context) => {
    context.skip(process.geteuid?.() !== 0, 'it takes root to become somebody else');
    const key = freshKey();
    using _none = SysvSemaphoreSet.open(key, { temporary: true, exclusive: true, mode: 0o600 });
    expect(asNobody(() => codeNow(() => SysvSemaphoreSet.open(key)))).toBe('EACCES');
    using read = SysvSemaphoreSet.open('private', { temporary: true, mode: 0o644 });
    const codes = asNobody(() => {
      const theirs = SysvSemaphoreSet.fromId(read.id);
      theirs.tryOperate([{ index: 0, delta: 0 }]);
      return [
        () => theirs.tryOperate([{ index: 0, delta: 1 }]),
        () => theirs.remove(),
        () => theirs.setStat({ mode: 0 }),
      ].map(codeNow);
    });
    expect(codes).toEqual(['EACCES', 'EPERM', 'EPERM']);
  });

  test('a private set whose mode keeps its own maker from giving it values leaves nothing', (context) => {
    context.skip(process.geteuid?.() !== 0, 'it takes root to become somebody else');
    const [error, left] = asNobody(() => {
      const made = codeNow(() => SysvSemaphoreSet.open('private', { mode: 0o400 }));
      const uid = process.geteuid?.();
      return [made, SysvSemaphoreSet.list().filter((one) => one.creatorUid === uid)];
    });
    onTestFinished(() => left.forEach(({ id }) => SysvSemaphoreSet.remove(id)));
    expect([error, left]).toEqual(['EACCES', []]);
  });
});

describe('SysvSemaphoreSet.operate()', () => {
  test('tryOperate() makes what it was given, though a getter operates meanwhile, and many at once', () => {
    const made = set(5, 5);
    const other = set(5);
    const index = {
      get index(): number {
        other.tryOperate([{ index: 0, delta: 1 }]);
        return 1;
      },
      delta: -2,
    };
    expect(made.tryOperate([{ index: 0, delta: -3 }, index])).toBe(true);
    expect(made.values).toEqual([2, 3]);
    const many = Array.from({ length: 200 }, (_, n) => ({ index: n % 2, delta: 1 }));
    expect(made.tryOperate(many)).toBe(true);
    expect(made.values).toEqual([102, 103]);
    expect(made.tryOperate([{ index: 0, delta: -102 }])).toBe(true);
    expect(made.values).toEqual([0, 103]);
  });

  test('SVSEM-007 SVSEM-008 SVSEM-009: adds, takes, and waits for 0', async () => {
    const made = set(2);
    await made.operate([operation(0, 3)]);
    await made.operate([operation(0, -4)]);
    const zero = made.operate([operation(0, 0)]);
    expect(await isPending(zero)).toBe(true);
    made.tryOperate([operation(0, -1)]);
    await made.operate([operation(0, 2)], { timeout: 10_000 });
    made.set(0, 0);
    await zero;
  });

  test('SVSEM-010 SVSEM-011 SVSEM-012: all of the operations or none, in their order', async () => {
    const made = set(0, 1);
    expect(made.tryOperate([operation(1, -1), operation(0, -1)])).toBe(false);
    expect(made.values).toEqual([0, 1]);
    const wait = made.operate([operation(1, -1), operation(0, -1)]);
    expect(await isPending(wait)).toBe(true);
    expect(made.values).toEqual([0, 1]);
    made.set(0, 1);
    await wait;
    expect(made.values).toEqual([0, 0]);
    await made.operate([operation(0, 0), operation(0, 1)]);
    expect(made.tryOperate([operation(0, 0), operation(0, 1)])).toBe(false);
    const refused = made.operate([operation(1, -1, { noWait: true })]);
    await expect(refused).rejects.toThrow(code('EAGAIN'));
  });

  test('SVSEM-013 SVSEM-014 SVSEM-015: refuses too many, too far and too much, and does nothing', () => {
    const made = set(1, 32_767);
    expect(() => made.tryOperate([])).toThrow(code('EINVAL'));
    const many = Array.from({ length: 501 }, () => operation(0, 0));
    expect(() => made.tryOperate(many)).toThrow(code('E2BIG'));
    expect(() => made.tryOperate([operation(0, -1), operation(2, 1)])).toThrow(code('EFBIG'));
    expect(() => made.tryOperate([operation(0, 1), operation(70_000, 1)])).toThrow(code('EFBIG'));
    expect(() => made.tryOperate([operation(0, -1), operation(1, 1)])).toThrow(code('ERANGE'));
    expect(() => made.tryOperate([operation(0, 40_000)])).toThrow(code('ERANGE'));
    expect(made.values).toEqual([1, 32_767]);
  });

  test('SVSEM-016 SVSEM-017: remove() ends 100 waits with EIDRM, and later use', async () => {
    const made = set(0);
    using other = SysvSemaphoreSet.fromId(made.id);
    const waits = Array.from({ length: 100 }, () => made.operate([operation(0, -1)]));
    await until(() => other.waiting(0).increase === 1);
    other.remove();
    for (const wait of waits) await expect(wait).rejects.toThrow(code('EIDRM'));
    expect(() => made.tryOperate([operation(0, 1)])).toThrow(code('EIDRM'));
  });

  test('SVSEM-020 SVSEM-021: times out with ETIMEDOUT, and nothing is done', () => {
    const made = set(1, 0);
    expect(() => made.operateSync([operation(0, -1), operation(1, -1)], { timeout: 20 })).toThrow(
      code('ETIMEDOUT'),
    );
    expect(() => made.operateSync([operation(1, -1)], { timeout: -1 })).toThrow(
      code('ERR_OUT_OF_RANGE'),
    );
    expect(made.values).toEqual([1, 0]);
  });

  test('waits for other semaphores do not stand in the way', async () => {
    const made = set(0, 0);
    const first = made.operate([operation(0, -1)]);
    const second = made.operate([operation(1, -1)]);
    made.tryOperate([operation(1, 1)]);
    await second;
    expect(await isPending(first)).toBe(true);
    await made.operate([operation(0, 1)]);
    await first;
  });

  test('SVSEM-018 SVSEM-041: blocking outlasts signals, SIGSTOP and SIGCONT', async () => {
    const made = set(0);
    const script = `
      import { SysvSemaphoreSet } from '@octoipc/sem';
      process.on('SIGUSR2', () => {});
      const made = SysvSemaphoreSet.fromId(${made.id});
      console.log('ready');
      made.operateSync([{ index: 0, delta: -1 }]);
      console.log('done');`;
    const peer = Peer.start(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('..', import.meta.url),
    });
    await peer.line();
    for (const signal of ['SIGUSR2', 'SIGSTOP', 'SIGCONT', 'SIGUSR2'] as const) {
      peer.child.kill(signal);
    }
    made.tryOperate([operation(0, 1)]);
    expect(await peer.line()).toBe('done');
  });
});

describe('SysvSemaphoreSet', () => {
  test('SVSEM-028 SVSEM-030 SVSEM-033: values are set as a whole, and bad ones refused as a whole', () => {
    const made = set(1, 2, 3);
    made.values = [4, 5, 6];
    expect(made.values).toEqual([4, 5, 6]);
    for (const bad of [
      [7, 8],
      [7, 8, -1],
      [7, 8, 32_768],
    ]) {
      expect(() => (made.values = bad)).toThrow(code('ERR_OUT_OF_RANGE'));
    }
    expect(() => made.set(0, 32_768)).toThrow(code('ERR_OUT_OF_RANGE'));
    for (const index of [-1, 3]) expect(() => made.get(index)).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(made.values).toEqual([4, 5, 6]);
  });

  test('SVSEM-029: set() lets those go on who wait', async () => {
    const made = set(0);
    const wait = made.operate([operation(0, -3)]);
    expect(await isPending(wait)).toBe(true);
    made.set(0, 3);
    await wait;
  });

  test('SVSEM-031 SVSEM-032: tells who waits, and who was last', async () => {
    const made = set(1);
    using other = SysvSemaphoreSet.fromId(made.id);
    const zero = made.operate([operation(0, 0)]);
    const more = other.operate([operation(0, -2)]);
    await until(() => made.waiting(0).increase === 1 && made.waiting(0).zero === 1);
    const peer = Peer.node(fixture, ['operate', made.id, JSON.stringify([operation(0, 1)])]);
    await peer.line();
    await more;
    await zero;
    expect(made.lastPid(0)).toBe(process.pid);
  });

  test('setStat() changes the mode', () => {
    const made = set(0);
    made.setStat({ mode: 0o660 });
    expect(made.stat().mode).toBe(0o660);
  });
});
