import { constants } from 'node:os';

import { BLOCKED, POLLIN } from '@octoipc/core/kit';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Handle, kit, pipe } from './kit-binding.js';
import { Peer } from './peer.js';
import { pipeEnds, sleepingIn, threadsNamed, until } from './proc.js';

const NAME = 'kit-waiter';
const { ECANCELED, EIDRM } = constants.errno as Record<string, number>;

/** What the thread waits for: never comes unless the test makes it. */
function objects() {
  const queue = kit.messageQueue();
  const semaphore = kit.semaphore();
  const { reader, writer } = pipe();
  kit.setBlocking(reader);
  onTestFinished(() => {
    kit.removeQueue(queue);
    kit.removeSemaphore(semaphore);
    kit.close(reader);
    kit.close(writer);
  });
  return { poll: 0, read: reader, msgrcv: queue, semop: semaphore, futex: 0, writer };
}

async function start(call: 'poll' | 'read' | 'msgrcv' | 'semop' | 'futex', object: number) {
  const before = new Set(threadsNamed(NAME));
  const kinds = {
    poll: kit.poller,
    read: kit.reader,
    msgrcv: kit.msgrcv,
    semop: kit.semop,
    futex: kit.futex,
  };
  const index = kit.threadStart(kinds[call], object);
  onTestFinished(() => void kit.drop(index));
  expect(index).toBeGreaterThanOrEqual(0);
  let tid = 0;
  await until(() => {
    tid = threadsNamed(NAME).find((one) => !before.has(one)) ?? 0;
    return tid > 0;
  });
  await sleepingIn(call, 'self', tid);
  return { index, tid };
}

describe('WaitingThread', () => {
  test.each(['poll', 'read', 'msgrcv', 'semop', 'futex'] as const)(
    'BIND-012: Cancel() gets a thread out of %s, and joins it',
    async (call) => {
      const { index, tid } = await start(call, objects()[call]);
      expect(kit.threadResult(index)).toBe(-constants.errno.EAGAIN);
      expect(kit.threadCancel(index)).toBe(0);
      expect(kit.threadResult(index)).toBe(-ECANCELED!);
      expect(threadsNamed(NAME)).not.toContain(tid);
      // Once more, and once more by the destructor: nothing is left to do.
      expect(kit.threadCancel(index)).toBe(0);
    },
  );

  test('the destructor cancels: dropping it ends the thread', async () => {
    const { index, tid } = await start('msgrcv', objects().msgrcv);
    kit.drop(index);
    expect(threadsNamed(NAME)).not.toContain(tid);
    expect(kit.threadResult(index)).toBe(-constants.errno.EBADF);
  });

  test('done becomes readable when the job has returned, and the result is there then', async () => {
    const queue = objects().msgrcv;
    const { index } = await start('msgrcv', queue);
    const done = new Handle(kit.threadDone(index));
    onTestFinished(() => done.close());
    const told = done
      .wait('readable')
      .run(
        () => (kit.poll(done.fd, POLLIN, 0) === 0 ? BLOCKED : kit.threadResult(index)),
        {},
        { details: {} },
      );
    kit.send(queue);
    expect(await told).toBe(3);
  });

  test('a job that fails gives its errno: the queue is removed under it', async () => {
    const { msgrcv } = objects();
    const { index } = await start('msgrcv', msgrcv);
    kit.removeQueue(msgrcv);
    await until(() => kit.threadResult(index) !== -constants.errno.EAGAIN);
    expect(kit.threadResult(index)).toBe(-EIDRM!);
  });

  test('a job that has returned before it is asked needs no cancelling', async () => {
    const index = kit.threadStart(kit.none, 42);
    onTestFinished(() => void kit.drop(index));
    await until(() => kit.threadResult(index) !== -constants.errno.EAGAIN);
    expect(kit.threadResult(index)).toBe(42);
    expect(kit.threadCancel(index)).toBe(0);
    expect(kit.threadResult(index)).toBe(42);
  });

  test('200 threads, each cancelled as soon as it was started: none is left, none hangs', () => {
    const before = threadsNamed(NAME).length;
    const { msgrcv } = objects();
    const fds = pipeEnds('anon_inode');
    for (let i = 0; i < 200; i++) {
      const index = kit.threadStart(kit.msgrcv, msgrcv);
      if (i % 2 === 0) kit.threadCancel(index);
      kit.drop(index);
    }
    expect(threadsNamed(NAME).length).toBe(before);
    expect(pipeEnds('anon_inode')).toBe(fds);
  });

  test.each(['exit', 'throw', 'end', 'terminate'])(
    'BIND-012: a process or worker that ends by %s while a thread blocks in msgrcv ends at once',
    async (how) => {
      const queue = objects().msgrcv;
      const peer = Peer.node(new URL('fixtures/blocked-thread.mjs', import.meta.url), [how, queue]);
      const { code, signal, stdout } = await peer.ended;
      expect({ signal, stdout }).toEqual({ signal: null, stdout: 'blocked\n' });
      expect(code).toBe({ exit: 3, throw: 1, end: 0, terminate: 0 }[how]);
    },
  );
});
