import { execFileSync } from 'node:child_process';

import { ftok, SysvQueue } from '@octoipc/mq';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { filled, freshKey, sysv, sysvAgain } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);
const nobody = 0x7fff_fff0;

const shown = (message: { data: Buffer; type: number } | undefined | null) =>
  message === undefined || message === null ? message : [String(message.data), message.type];

describe('SysvQueue.open()', () => {
  test('SVMSG-001: a new queue is empty, and this user’s', () => {
    const status = sysv({ mode: 0o640 }).stat();
    expect(status).toMatchObject({
      mode: 0o640,
      uid: process.geteuid?.(),
      gid: process.getegid?.(),
      creatorUid: process.geteuid?.(),
      messages: 0,
      bytes: 0,
      lastSender: null,
      lastReceiver: null,
      lastSendTime: null,
      lastReceiveTime: null,
    });
    expect(status.maxBytes).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - status.changeTime.getTime())).toBeLessThan(60_000);
  });

  test('SVMSG-002 SVMSG-003: ENOENT, EEXIST, and the same queue by the same key', async () => {
    const key = freshKey();
    const error = await failure(() => SysvQueue.open(key));
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'msgget' });
    expect(error.target).toBe(`0x${key.toString(16).padStart(8, '0')}`);
    const queue = SysvQueue.open(key, { create: true, temporary: true });
    onTestFinished(() => queue.close());
    expect(await codeOf(() => SysvQueue.open(key, { exclusive: true }))).toBe('EEXIST');
    for (const options of [{}, { create: true }]) {
      const same = SysvQueue.open(key, options);
      expect(same.id).toBe(queue.id);
      same.close();
    }
    expect(queue.key).toBe(key);
  });

  test('SVMSG-004: two private queues are two', () => {
    const [one, other] = [SysvQueue.open('private'), SysvQueue.open('private')];
    onTestFinished(() => [one, other].forEach((queue) => queue.remove()));
    expect(one.id).not.toBe(other.id);
    expect([one.key, one.stat().key]).toEqual([0, 0]);
  });

  test('SVMSG-007: the id of a removed queue is never another one', async () => {
    const key = freshKey();
    const old = SysvQueue.open(key, { temporary: true });
    const stale = sysvAgain(old);
    old.remove();
    const next = SysvQueue.open(key, { exclusive: true, temporary: true });
    onTestFinished(() => next.close());
    for (const use of [() => stale.trySend('x'), () => stale.tryReceive(), () => stale.stat()]) {
      expect(await codeOf(use)).toBe('EIDRM');
    }
    expect(await codeOf(() => old.id)).toBe('ERR_CLOSED');
    expect(next.stat().messages).toBe(0);
    stale.close();
    old.close();
    expect(next.stat().messages).toBe(0);
  });

  test.each([undefined, null, '5', 1.5, NaN, 2 ** 32, 0, {}, { path: 5, project: 1 }])(
    'a key of %j is refused',
    async (key) => {
      expect(await codeOf(() => SysvQueue.open(key as never, { create: true }))).toMatch(/^ERR_/);
    },
  );
});

describe('ftok()', () => {
  test('SVMSG-036: the same key as C and perl make, of the low eight bits', async () => {
    const perl = execFileSync('perl', ['-MIPC::SysV=ftok', '-e', 'print ftok("/etc", 65)']);
    expect(ftok('/etc', 65)).toBe(Number(perl.toString()) >>> 0);
    expect(ftok('/etc', 'A')).toBe(ftok('/etc', 65));
    expect(ftok('/etc', 66)).not.toBe(ftok('/etc', 65));
    const error = await failure(() => ftok('/nonexistent', 65));
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'ftok', target: '/nonexistent' });
    for (const project of [0, 256, -1, 1.5, '', 'AB', '€', null]) {
      expect(await codeOf(() => ftok('/etc', project as number))).toMatch(/^ERR_/);
    }
    const queue = SysvQueue.open({ path: '/etc', project: 200 }, { temporary: true });
    onTestFinished(() => queue.close());
    expect(queue.key).toBe(ftok('/etc', 200));
  });
});

describe('SysvQueue', () => {
  test('SVMSG-029 SVMSG-033: EINVAL of an id that is none', async () => {
    for (const use of [() => SysvQueue.remove(nobody), () => SysvQueue.fromId(nobody)]) {
      expect(await failure(use)).toMatchObject({ code: 'EINVAL', syscall: 'msgctl' });
    }
    expect(await codeOf(() => SysvQueue.remove(-1))).toBe('ERR_OUT_OF_RANGE');
  });

  test('SVMSG-030: stat() tells who sent and received last, when, and whether they live', async () => {
    const queue = sysv();
    const other = Peer.node(peer, ['send', queue.id, 'four']);
    expect(await other.line()).toBe('sent');
    await other.ended;
    expect(queue.stat()).toMatchObject({
      bytes: 4,
      messages: 1,
      lastSender: { pid: other.pid, alive: false },
      lastReceiver: null,
    });
    queue.tryReceive();
    const { bytes, messages, lastReceiver, lastSendTime, lastReceiveTime } = queue.stat();
    expect([bytes, messages, lastReceiver]).toEqual([0, 0, { pid: process.pid, alive: true }]);
    for (const time of [lastSendTime, lastReceiveTime]) {
      expect(Math.abs(Date.now() - (time?.getTime() ?? 0))).toBeLessThan(60_000);
    }
  });

  test('SVMSG-031: setStat() changes what is told, and nothing else', () => {
    const queue = sysv({ mode: 0o600 });
    queue.setStat({ mode: 0o640, maxBytes: 4096 });
    expect(queue.stat()).toMatchObject({ mode: 0o640, maxBytes: 4096, uid: process.geteuid?.() });
    queue.setStat({});
    expect(queue.stat()).toMatchObject({ mode: 0o640, maxBytes: 4096 });
  });

  test('SVMSG-034: remove() takes the messages, too, at once, and closes', async () => {
    const queue = filled([1, 2]);
    const { id } = queue;
    queue.remove();
    expect(queue.closed).toBe(true);
    expect(await codeOf(() => queue.remove())).toBe('ERR_CLOSED');
    expect(await codeOf(() => SysvQueue.remove(id))).toBe('EINVAL');
  });

  test('SVMSG-035: list() has what /proc and ipcs(1) have', () => {
    const queue = filled([1, 2]);
    const listed = SysvQueue.list().find(({ id }) => id === queue.id);
    expect(listed).toEqual(queue.stat());
    expect(listed).toMatchObject({ key: queue.key, bytes: 2, messages: 2 });
    const ipcs = execFileSync('ipcs', ['-q']).toString();
    expect(ipcs).toMatch(
      new RegExp(`0x${queue.key.toString(16).padStart(8, '0')}\\s+${queue.id}\\s`),
    );
  });

  test('SVMSG-037: outlives its creator, until it is removed', async () => {
    const key = freshKey();
    const name = `0x${key.toString(16)}`;
    const made = Peer.start('ipcmk', ['-Q']);
    const id = Number(/(\d+)/.exec((await made.ended).stdout)?.[1]);
    const queue = SysvQueue.fromId(id);
    expect(queue.trySend(name)).toBe(true);
    queue.close();
    expect(shown(sysvAgain(queueOf(id)).tryReceive())).toEqual([name, 1]);
    execFileSync('ipcrm', ['-q', String(id)]);
    expect(await codeOf(() => SysvQueue.fromId(id))).toBe('EINVAL');
  });
});

function queueOf(id: number): SysvQueue {
  const queue = SysvQueue.fromId(id);
  onTestFinished(() => queue.close());
  return queue;
}
