import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

import { receiveAny, SysvQueue } from '@octoipc/mq';
import { describe, expect, test } from 'vitest';

import { codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { disturb, threadsIn, until } from './asleep.js';
import { beBusy, isPending, sysv, sysvAgain, turns } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);
const soak = new URL('fixtures/abort-soak.mjs', import.meta.url);

const shown = ({ data, type }: { data: Buffer; type: number }) => [String(data), type];

describe('SysvQueue.receive() that waits', () => {
  test('SVMSG-024: for a type sleeps on while others come', async () => {
    const queue = sysv();
    const wait = queue.receive({ type: 2 });
    await Peer.node(peer, ['send', queue.id, 'other', 1]).ended;
    expect(await isPending(wait)).toBe(true);
    await Peer.node(peer, ['send', queue.id, 'wanted', 2]).ended;
    expect(shown(await wait)).toEqual(['wanted', 2]);
    expect(shown(await queue.receive())).toEqual(['other', 1]);
  });

  test('who came first is served first by an empty message, too, whoever has a thread for it', async () => {
    const queue = sysv();
    await until(() => threadsIn('msgrcv') === 0);
    const served: string[] = [];
    // This one's thread sleeps before the first's does, and is then the second's.
    const controller = new AbortController();
    const before = codeOf(() => queue.receive({ type: 5, signal: controller.signal }));
    await until(() => threadsIn('msgrcv') === 1);
    const first = queue.receive().then(() => served.push('first'));
    await until(() => threadsIn('msgrcv') === 2);
    const second = queue.receive({ type: 5 }).then(() => served.push('second'));
    controller.abort();
    await before;
    sysvAgain(queue).trySend('', { type: 5 });
    await Promise.race([first, second]);
    expect(served).toEqual(['first']);
    queue.trySend('', { type: 5 });
    await second;
  });

  test('takes what came before its time was over, though the event loop was busy', async () => {
    const queue = sysv();
    for (let i = 0; i < 5; i++) {
      const waits = [queue.receive({ type: 3, timeout: 5 }), receiveAny([queue], { timeout: 5 })];
      queue.trySend('for the first', { type: 3 });
      queue.trySend('for the second', { type: 1 });
      beBusy(10);
      const got = (await Promise.all(waits)).map(({ data }) => String(data));
      expect(got).toEqual(['for the first', 'for the second']);
    }
    const full = sysv();
    while (full.trySend(Buffer.alloc(4096)));
    const send = full.send(Buffer.alloc(4096), { timeout: 5 });
    sysvAgain(full).tryReceive();
    beBusy(10);
    await send;
  });

  test('takes what a thread saw before its time was over, though the event loop was busy', async () => {
    const queue = sysv();
    for (let timeout = 100; ; timeout *= 2) {
      await until(() => threadsIn('msgrcv') === 0);
      const late = performance.now() + timeout;
      let isOver = false;
      const wait = queue.receive({ type: 3, timeout }).then(shown, ({ code }) => code);
      void wait.finally(() => (isOver = true));
      await until(() => isOver || threadsIn('msgrcv') === 1);
      // Not even begun by then: with more time, once more.
      if (performance.now() > late) continue;
      queue.trySend('x', { type: 3 });
      beBusy(late + 2 - performance.now());
      expect(await wait).toEqual(['x', 3]);
      return;
    }
  });

  test('SVMSG-041: has a thread for each selection of types, which ends when nobody waits', async () => {
    const queue = sysv();
    const controller = new AbortController();
    const { signal } = controller;
    const selections = [{}, {}, {}, { type: 1 }, { type: -5 }, { type: 1 }, { except: 3 }];
    const waits = selections.map((selection) => queue.receive({ ...selection, signal }));
    await until(() => threadsIn('msgrcv') === 4);
    controller.abort();
    expect(threadsIn('msgrcv')).toBe(0);
    await Promise.allSettled(waits);
    queue.trySend('stays for others');
    expect(shown(sysvAgain(queue).tryReceive()!)).toEqual(['stays for others', 1]);
  });

  test('SVMSG-041: its threads end by themselves some time after the last wait', async () => {
    const queue = sysv();
    const threads = (): number => readdirSync('/proc/self/task').length;
    await until(() => threadsIn('msgrcv') === 0);
    const waits = [1, 2, 3].map((type) => queue.receive({ type }));
    const most = threads();
    for (const type of [1, 2, 3]) queue.trySend('x', { type });
    await Promise.all(waits);
    await until(() => threads() <= most - 3);
  });

  test('SVMSG-026 SVMSG-016: EIDRM for everyone who waits when another process removes the queue', async () => {
    const queue = sysv();
    const waits = [{}, {}, { type: 1 }, { type: -3 }].map((selection) =>
      codeOf(() => queue.receive(selection)),
    );
    const full = sysv();
    while (full.trySend(Buffer.alloc(4096)));
    waits.push(...[1, 2, 3].map(() => codeOf(() => full.send(Buffer.alloc(4096)))));
    await until(() => threadsIn('msgrcv') === 3 && threadsIn('msgsnd') === 1);
    execFileSync('ipcrm', ['-q', String(queue.id), '-q', String(full.id)]);
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['EIDRM']));
  });

  test('SVMSG-026: EIDRM, too, when this handle removes it', async () => {
    const queue = sysv();
    const waits = [{}, { type: 4 }].map((selection) => codeOf(() => queue.receive(selection)));
    queue.remove();
    expect(await Promise.all(waits)).toEqual(['EIDRM', 'EIDRM']);
  });

  test('is served in the order of coming, whichever types were asked for', async () => {
    const queue = sysv();
    const order: string[] = [];
    const wait = (name: string, selection: object): Promise<unknown> =>
      queue.receive(selection).then(() => order.push(name));
    const waits = [
      wait('any', {}),
      wait('five', { type: 5 }),
      wait('up to seven', { type: -7 }),
      wait('not five', { type: 5, except: true }),
    ];
    for (const type of [5, 5, 5, 6]) {
      queue.trySend('x', { type });
      const before = order.length;
      await until(() => order.length > before);
    }
    await Promise.all(waits);
    expect(order).toEqual(['any', 'five', 'up to seven', 'not five']);
  });

  test('does not keep tryReceive() from what nobody waits for', async () => {
    const queue = sysv();
    const wait = queue.receive({ type: 1 });
    queue.trySend('other', { type: 2 });
    expect(shown(queue.tryReceive({ type: 2 })!)).toEqual(['other', 2]);
    expect(await isPending(wait)).toBe(true);
    queue.trySend('one', { type: 1 });
    expect(queue.tryReceive()).toBeUndefined();
    expect(shown(await wait)).toEqual(['one', 1]);
  });

  test('100 that are closed reject with ERR_CLOSED, and a message that comes stays', async () => {
    const queue = sysv();
    const other = SysvQueue.fromId(queue.id);
    const plain = SysvQueue.fromId(queue.id);
    const waits = Array.from({ length: 100 }, (_, i) =>
      codeOf(() => other.receive({ type: i % 3 })),
    );
    other.close();
    await plain.send('for somebody else');
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['ERR_CLOSED']));
    expect(shown(plain.tryReceive()!)).toEqual(['for somebody else', 1]);
    plain.close();
  });

  test('an empty message is not lost where its wait is aborted as it comes', async () => {
    const queue = sysv();
    const outside = sysvAgain(queue);
    for (let i = 1; i <= 200; i++) {
      const controller = new AbortController();
      const wait = queue.receive({ signal: controller.signal });
      const sent = outside.trySend('', { type: i });
      if (i % 2 === 0) await turns(i % 4);
      controller.abort();
      const [settled] = await Promise.allSettled([wait]);
      const received = settled.status === 'fulfilled' ? settled.value.type : undefined;
      const left = outside.tryReceive()?.type;
      // Either the wait has it, or it is there still.
      expect([sent, received ?? left, received === undefined || left === undefined]).toEqual([
        true,
        i,
        true,
      ]);
    }
  });
});

test('SVMSG-014 SVMSG-015 SVMSG-042 BIND-003: sendSync() blocks on after signals, SIGSTOP and SIGCONT', async () => {
  const queue = sysv();
  queue.setStat({ maxBytes: 7 });
  queue.trySend('first');
  const blocked = Peer.node(peer, ['blocked', queue.id, 'send']);
  expect(await blocked.line()).toBe('blocked');
  await disturb(blocked, 'msgsnd');
  expect(shown(await queue.receive())).toEqual(['first', 1]);
  expect(shown(await queue.receive())).toEqual(['blocked', 1]);
  expect(await blocked.line()).toBe('done');
  expect(await blocked.ended).toMatchObject({ code: 0, stderr: '' });
});

test('SVMSG-025 SVMSG-042 BIND-003: receiveSync() blocks on after signals, SIGSTOP and SIGCONT', async () => {
  const queue = sysv();
  const blocked = Peer.node(peer, ['blocked', queue.id, 'receive']);
  expect(await blocked.line()).toBe('blocked');
  await disturb(blocked, 'msgrcv');
  await queue.send('message', { type: 6 });
  expect(await blocked.report()).toEqual({ text: 'message', kind: 6 });
  expect(await blocked.line()).toBe('done');
  expect(await blocked.ended).toMatchObject({ code: 0, stderr: '' });
});

test(
  'sends and receives that are aborted at random lose no message and give none twice',
  { timeout: 3_600_000 },
  async () => {
    // The whole of it: OCTOIPC_SOAK=1000000 npm test -- --project mq
    const count = Number(process.env['OCTOIPC_SOAK'] ?? 4000);
    const { stdout, stderr } = await Peer.node(soak, [count, Date.now() % 1000]).ended;
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as { empties: number; aborted: { receives: number } };
    expect(report).toMatchObject({ sent: count, received: count, twice: 0, left: 0 });
    expect(report).toMatchObject({ emptiesReceived: report.empties });
    expect(report.aborted.receives).toBeGreaterThan(0);
  },
);
