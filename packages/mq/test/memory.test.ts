import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow } from '../../core/test/failure.js';

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

  test('that was received and transferred away is received into no more', () => {
    const to = queue();
    to.sendSync('first');
    const { data } = to.receiveSync();
    const moved = structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
    for (const text of ['second', 'third']) {
      to.sendSync(text);
      expect(String(to.receiveSync().data)).toBe(text);
    }
    expect(Buffer.from(moved).toString()).toBe('first');
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
