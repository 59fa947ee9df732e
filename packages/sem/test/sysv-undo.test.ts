import { execFileSync } from 'node:child_process';

import type { SysvOperation } from '@octoipc/sem';
import { describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { isPending, set, until } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const operation = (index: number, delta: number, more = {}): SysvOperation => ({
  index,
  delta,
  ...more,
});

describe('SEM_UNDO', () => {
  const operate = async (id: number, operations: readonly SysvOperation[]): Promise<Peer> => {
    const peer = Peer.node(fixture, ['operate', id, JSON.stringify(operations)]);
    expect(await peer.line()).toBe('done');
    return peer;
  };

  test('SVSEM-022: a killed process gives back what it took, and who waits gets it', async () => {
    const made = set(1);
    const peer = await operate(made.id, [operation(0, -1, { undo: true })]);
    const wait = made.operate([operation(0, -1)]);
    expect(await isPending(wait)).toBe(true);
    peer.child.kill('SIGKILL');
    await wait;
  });

  test('SVSEM-022: so does one whose operation was done by a thread, after it has waited', async () => {
    const made = set(0);
    const peer = Peer.node(fixture, [
      'operate',
      made.id,
      JSON.stringify([operation(0, -1, { undo: true })]),
    ]);
    await until(() => made.waiting(0).increase === 1);
    made.tryOperate([operation(0, 1)]);
    await peer.line();
    // Its thread has ended by now, or will; nothing is undone as long as the process lives.
    expect(made.get(0)).toBe(0);
    peer.child.kill('SIGKILL');
    await peer.ended;
    expect(made.get(0)).toBe(1);
  });

  test('SVSEM-025: a worker that ends undoes nothing; its process does', async () => {
    const made = set(1);
    const operations = JSON.stringify([operation(0, -1, { undo: true })]);
    const peer = Peer.node(fixture, ['operate-in-worker', made.id, operations]);
    expect(await peer.line()).toBe('ended');
    expect(made.get(0)).toBe(0);
    peer.tell('go');
    await peer.ended;
    expect(made.get(0)).toBe(1);
  });

  test('SVSEM-023: what others took meanwhile is not taken twice: the value stops at 0', async () => {
    const made = set(0);
    const peer = await operate(made.id, [operation(0, 1, { undo: true })]);
    made.tryOperate([operation(0, -1)]);
    peer.child.kill('SIGKILL');
    await peer.ended;
    expect(made.get(0)).toBe(0);
  });

  test('SVSEM-024: set() and values forget what was to be undone', async () => {
    const made = set(1, 1);
    const both = [operation(0, -1, { undo: true }), operation(1, -1, { undo: true })];
    const peer = await operate(made.id, both);
    made.set(0, 7);
    peer.child.kill('SIGKILL');
    await peer.ended;
    expect(made.values).toEqual([7, 1]);
    const another = await operate(made.id, both);
    made.values = [3, 3];
    another.child.kill('SIGKILL');
    await another.ended;
    expect(made.values).toEqual([3, 3]);
  });

  test('SVSEM-026: children undo nothing of their parents', () => {
    const made = set(1);
    made.tryOperate([operation(0, -1, { undo: true })]);
    execFileSync('true');
    expect(made.get(0)).toBe(0);
  });

  test('SVSEM-027: exec keeps what is to be undone, until the new program ends', async () => {
    const made = set(1);
    const script = `my $o = pack("s!3", 0, -1, 010000); semop(${made.id}, $o) or die $!;
      $| = 1; exec "sh", "-c", "echo replaced; read line"`;
    const peer = Peer.start('perl', ['-e', script]);
    expect(await peer.line()).toBe('replaced');
    expect(made.get(0)).toBe(0);
    peer.tell('go');
    await peer.ended;
    expect(made.get(0)).toBe(1);
  });

  test('SVSEM-039: cannot be more than a value is', () => {
    const made = set(32_767);
    made.tryOperate([operation(0, -32_767, { undo: true })]);
    made.set(0, 32_767);
    made.tryOperate([operation(0, -32_767, { undo: true })]);
    made.tryOperate([operation(0, 32_767)]);
    expect(() => made.tryOperate([operation(0, -1, { undo: true })])).toThrow(code('ERANGE'));
  });

  test('SVSEM-037: two processes that lock and unlock 300 times leave 1', async () => {
    const made = set(1);
    const script = `
      import { SysvSemaphoreSet } from '@octoipc/sem';
      const made = SysvSemaphoreSet.fromId(${made.id});
      for (let i = 0; i < 300; i++) {
        await made.operate([{ index: 0, delta: -1, undo: true }]);
        await made.operate([{ index: 0, delta: 1, undo: true }]);
      }
      made.close();`;
    const peers = [1, 2].map(() =>
      Peer.start(process.execPath, ['--input-type=module', '-e', script], {
        cwd: new URL('..', import.meta.url),
      }),
    );
    for (const peer of peers) expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
    expect(made.get(0)).toBe(1);
  });
});
