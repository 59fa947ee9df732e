import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { transferAway } from '../../core/test/transferring.js';
import { sysv } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);
const limit = 'echo 8192 >/proc/sys/kernel/msgmax';
const noNamespace = spawnSync('unshare', ['-i', 'sh', '-c', limit]).status !== 0;
if (noNamespace) console.log('skipped: this user has no limits of his own to change');

const kinds = {
  posix: () =>
    PosixQueue.open(`/octoipc-memory-${process.pid}`, {
      temporary: true,
      maxMessages: 4,
      maxMessageSize: 64,
    }),
  sysv: () => SysvQueue.open('private', { temporary: true }),
};

describe.each(['posix', 'sysv'] as const)('memory of a %s queue', (kind) => {
  function queue() {
    const made = kinds[kind]();
    onTestFinished(() => made.close());
    return made;
  }

  test('that is sent again and again carries each time what it holds then', () => {
    const to = queue();
    const data = Buffer.from('a0');
    for (let i = 0; i < 20; i++) {
      data[1] = 0x30 + (i % 10);
      if (i % 2 === 0) to.sendSync(data);
      else to.trySend(data);
      if (i % 3 === 0) to.sendSync('between');
      expect(String(to.receiveSync().data)).toBe(`a${i % 10}`);
      const between = i % 3 === 0 ? String(to.tryReceive()?.data) : 'between';
      expect(between).toBe('between');
    }
  });

  test('BIND-006: that was transferred away after a send is refused', () => {
    const to = queue();
    const data = new Uint8Array(8).fill(1);
    to.sendSync(data);
    to.receiveSync();
    structuredClone(data, { transfer: [data.buffer] });
    expect(codeNow(() => to.sendSync(data))).toBe('ERR_INVALID_ARG_VALUE');
    expect(codeNow(() => to.trySend(data))).toBe('ERR_INVALID_ARG_VALUE');
    expect(to.tryReceive()).toBeUndefined();
  });

  test('of the caller is received into, however it is received', async () => {
    const to = queue();
    const into = new Uint8Array(64);
    const receives = [
      () => to.receiveSync({ into }),
      () => to.receiveSync({ into, timeout: 1000 }),
      () => to.tryReceive({ into }),
      () => to.receive({ into }),
    ];
    for (const [index, receive] of receives.entries()) {
      to.sendSync(`message ${'x'.repeat(index)}`);
      const { data } = (await receive())!;
      expect(String(data)).toBe(`message ${'x'.repeat(index)}`);
      expect([data.buffer, data.byteOffset]).toEqual([into.buffer, into.byteOffset]);
    }
    const waits = to.receive({ into });
    to.sendSync('');
    expect((await waits).data).toHaveLength(0);
    to.sendSync('own memory');
    expect(to.receiveSync().data.buffer).not.toBe(into.buffer);
  });

  test('BIND-006: of the caller that was transferred away, or is no memory, is refused, and the message stays', async () => {
    const to = queue();
    const into = new Uint8Array(64);
    to.sendSync('first');
    to.receiveSync({ into });
    structuredClone(into, { transfer: [into.buffer] });
    to.sendSync('second');
    for (const wrong of [into, new Uint8Array(0), 'text', 5, null, [1]] as never[]) {
      const codes = [
        codeNow(() => to.receiveSync({ into: wrong })),
        codeNow(() => to.tryReceive({ into: wrong })),
        await codeOf(() => to.receive({ into: wrong })),
      ];
      for (const code of codes)
        expect(code).toMatch(/^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/);
    }
    expect(String(to.receiveSync().data)).toBe('second');
  });

  test('of the caller that was transferred away while it waits is received into no more', async () => {
    const to = queue();
    const into = new Uint8Array(64);
    const waits = codeOf(() => to.receive({ into }));
    structuredClone(into, { transfer: [into.buffer] });
    to.sendSync('for whoever comes next');
    expect(await waits).toBe('ERR_INVALID_ARG_VALUE');
    expect(String((await to.receive()).data)).toBe('for whoever comes next');
  });

  test('that was received is not transferred away from under other messages', () => {
    const to = queue();
    to.sendSync('first');
    const { data } = to.receiveSync();
    transferAway(data);
    for (const text of ['second', 'third']) {
      to.sendSync(text);
      expect(String(to.receiveSync().data)).toBe(text);
    }
    expect(String(data)).toBe('first');
  });
});

test('SVMSG-031: a blocking send is refused once the queue was made smaller than its message', () => {
  const queue = SysvQueue.open('private', { temporary: true });
  onTestFinished(() => queue.close());
  queue.sendSync(Buffer.alloc(200));
  queue.receiveSync();
  queue.setStat({ maxBytes: 100 });
  expect(codeNow(() => queue.sendSync(Buffer.alloc(200)))).toBe('EMSGSIZE');
});

test('MQ-033: memory of the caller without room for maxMessageSize is refused before the kernel is asked', () => {
  const queue = kinds.posix();
  onTestFinished(() => queue.close());
  queue.sendSync('short');
  expect(codeNow(() => queue.receiveSync({ into: new Uint8Array(63) }))).toBe('ERR_OUT_OF_RANGE');
  expect(String(queue.receiveSync({ into: new Uint8Array(64) }).data)).toBe('short');
});

test('what a receive may take costs no memory that no message needs', () => {
  const queue = sysv();
  const into = Buffer.allocUnsafeSlow(256 * 1024 * 1024);
  const before = process.memoryUsage();
  for (const options of [{ into }, { maxBytes: into.length }, { into, truncate: true }]) {
    expect(queue.tryReceive(options)).toBeUndefined();
    queue.trySend('short');
    expect(String(queue.tryReceive(options)?.data)).toBe('short');
  }
  const { arrayBuffers, rss } = process.memoryUsage();
  expect(arrayBuffers - before.arrayBuffers).toBeLessThan(into.length / 2);
  expect(rss - before.rss).toBeLessThan(into.length / 2);
});

test.skipIf(noNamespace)(
  'a message that was sent when kernel.msgmax was higher comes whole, also where a long one may be cut',
  async () => {
    const args = ['-i', process.execPath, fileURLToPath(peer), 'longer'];
    expect(await Peer.start('unshare', args).report()).toEqual([20_000, 20_000, 15_000, 20_000]);
  },
);

test('SVMSG-021 SVMSG-022: a message that is longer than the memory of the caller is E2BIG and stays, or is cut', () => {
  const queue = SysvQueue.open('private', { temporary: true });
  onTestFinished(() => queue.close());
  queue.sendSync('0123456789', { type: 7 });
  const into = new Uint8Array(4);
  expect(codeNow(() => queue.receiveSync({ into }))).toBe('E2BIG');
  expect(codeNow(() => queue.tryReceive({ into }))).toBe('E2BIG');
  const { data, type } = queue.receiveSync({ into, truncate: true });
  expect([String(data), type, data.buffer]).toEqual(['0123', 7, into.buffer]);
});
