import { constants } from 'node:os';

import { POLLIN } from '@octoipc/core/kit';
import { describe, expect, onTestFinished, test } from 'vitest';

import { kit } from './kit-binding.js';
import { sleepingIn, threadsNamed, until } from './proc.js';

const NAME = 'kit-caller';
const { EBADF, EBUSY, EIDRM, EINPROGRESS, EINTR, ESRCH } = constants.errno as Record<
  string,
  number
>;

function bell(): { index: number; fd: number; rung(): number[] } {
  const fds = new Int32Array(1);
  const index = kit.bellOpen(fds);
  const fd = fds[0]!;
  onTestFinished(() => {
    kit.drop(index);
    kit.close(fd);
  });
  const who = new Int32Array(4);
  return { index, fd, rung: () => [...who.subarray(0, kit.bellAnswer(index, who))] };
}

function queue(): number {
  const id = kit.messageQueue();
  onTestFinished(() => void kit.removeQueue(id));
  return id;
}

function caller(rings: { index: number }, who: number): number {
  const call = kit.callOpen(rings.index, who);
  onTestFinished(() => void kit.drop(call));
  return call;
}

/** A call that sleeps in msgrcv(2); its thread's id. */
async function begin(call: number, id: number): Promise<number> {
  const before = new Set(threadsNamed(NAME));
  expect(kit.callBegin(call, kit.msgrcv, id)).toBe(0);
  let tid = 0;
  await until(() => {
    tid = threadsNamed(NAME).find((one) => !before.has(one)) ?? 0;
    return tid > 0;
  });
  await sleepingIn('msgrcv', 'self', tid);
  return tid;
}

describe('Bell', () => {
  test('tells who has rung, in order, as many at a time as there is room for', () => {
    const rings = bell();
    expect(kit.poll(rings.fd, POLLIN, 0)).toBe(0);
    for (let who = 0; who < 6; who++) kit.ringOnce(rings.index, who);
    expect(kit.poll(rings.fd, POLLIN, 0)).toBe(POLLIN);
    expect(rings.rung()).toEqual([0, 1, 2, 3]);
    expect(rings.rung()).toEqual([4, 5]);
    expect(rings.rung()).toEqual([]);
  });

  test('after Silence() nobody is told, and the descriptor may be closed', () => {
    const rings = bell();
    kit.silenceBell(rings.index);
    expect(kit.ringOnce(rings.index, 1)).toBe(0);
    expect(rings.rung()).toEqual([]);
    expect(kit.poll(rings.fd, POLLIN, 0)).toBe(0);
  });

  test('one that is not there is EBADF', () => {
    expect(kit.bellAnswer(10_000, new Int32Array(1))).toBe(-EBADF!);
    expect(kit.callOpen(10_000, 0)).toBe(-EBADF!);
  });
});

describe('CallingThread', () => {
  test('rings when the call has answered, which is told once', async () => {
    const rings = bell();
    const call = caller(rings, 7);
    const id = queue();
    await begin(call, id);
    expect([kit.callResult(call), rings.rung()]).toEqual([-EINPROGRESS!, []]);
    expect(kit.callBegin(call, kit.msgrcv, id)).toBe(-EBUSY!);
    kit.send(id);
    await until(() => kit.poll(rings.fd, POLLIN, 0) !== 0);
    expect(rings.rung()).toEqual([7]);
    expect([kit.callResult(call), kit.callResult(call)]).toEqual([3, -ESRCH!]);
  });

  test('one thread makes one call after the other', async () => {
    const rings = bell();
    const call = caller(rings, 1);
    for (let i = 0; i < 100; i++) {
      expect(kit.callBegin(call, kit.none, i)).toBe(0);
      let answers: number[] = [];
      await until(() => (answers = rings.rung()).length > 0);
      expect([answers, kit.callResult(call)]).toEqual([[1], i]);
    }
    expect(threadsNamed(NAME).length).toBeLessThanOrEqual(1);
  });

  test('Stop() ends a call that has done nothing with EINTR, and one that has with what it did', async () => {
    const rings = bell();
    const call = caller(rings, 1);
    const id = queue();
    await begin(call, id);
    expect([kit.callStop(call), kit.callStop(call), rings.rung()]).toEqual([-EINTR!, -ESRCH!, []]);
    kit.callBegin(call, kit.none, 42);
    await until(() => rings.rung().length > 0);
    expect(kit.callResult(call)).toBe(42);
    kit.callBegin(call, kit.none, 43);
    await until(() => rings.rung().length > 0);
    expect(kit.callStop(call)).toBe(43);
  });

  test('a message is taken or left, whenever the call is stopped', () => {
    const rings = bell();
    const call = caller(rings, 1);
    const id = queue();
    let sent = 0;
    let taken = 0;
    for (let i = 0; i < 300; i++) {
      kit.callBegin(call, kit.msgrcv, id);
      if (i % 2 === 0) {
        kit.send(id);
        sent += 1;
      }
      const answer = kit.callStop(call);
      expect([3, -EINTR!]).toContain(answer);
      if (answer === 3) taken += 1;
    }
    for (let left = sent - taken; left > 0; left--) {
      kit.callBegin(call, kit.msgrcv, id);
      while (kit.callResult(call) === -EINPROGRESS!);
    }
    kit.callBegin(call, kit.msgrcv, id);
    expect(kit.callStop(call)).toBe(-EINTR!);
  });

  test('a call that fails gives its errno, and dropping it while it sleeps ends its thread', async () => {
    const rings = bell();
    const call = caller(rings, 1);
    const id = queue();
    await begin(call, id);
    kit.removeQueue(id);
    await until(() => rings.rung().length > 0);
    expect(kit.callResult(call)).toBe(-EIDRM!);
    const other = kit.callOpen(rings.index, 2);
    const tid = await begin(other, queue());
    kit.drop(other);
    expect(threadsNamed(NAME)).not.toContain(tid);
  });
});
