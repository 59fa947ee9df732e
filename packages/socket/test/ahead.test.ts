import { Datagram, socketPair, type Connection } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test, vi } from 'vitest';

/** After so many plain ones several are taken at once, and a descriptor has its own poll. */
const ENOUGH = 16;

const name = (which: string): { abstract: string } => ({
  abstract: `octoipc-ahead-${process.pid}-${which}`,
});

async function datagrams(which: string): Promise<[Datagram, Datagram]> {
  const receiver = await Datagram.bind(name(which));
  const sender = await Datagram.connect(name(which));
  onTestFinished(() => {
    sender.close();
    receiver.close();
  });
  return [sender, receiver];
}

test('datagrams that were taken ahead are not overwritten by what is received next', async () => {
  const [toA, a] = await datagrams('a');
  const [toB, b] = await datagrams('b');
  for (let i = 0; i < ENOUGH; i++) {
    toA.trySend('plain');
    expect(String((await a.receive()).data)).toBe('plain');
  }
  const sent = ['first', 'second', 'third'];
  for (const text of sent) toA.trySend(text);
  const got = [(await a.receive()).data];
  toB.trySend('x'.repeat(40));
  const other = (await b.receive()).data;
  got.push((await a.receive()).data, (await a.receive()).data);
  toB.trySend('y'.repeat(40));
  await b.receive();
  expect(got.map(String)).toEqual(sent);
  expect(String(other)).toBe('x'.repeat(40));
});

test('a receive after many that had to wait is given what was taken ahead', async () => {
  const [here, there] = socketPair({ type: 'seqpacket' });
  onTestFinished(() => {
    here.close();
    there.close();
  });
  for (let turn = 0; turn < ENOUGH; turn++) {
    const first = here.receive();
    setImmediate((end: Connection) => end.trySend('one'), there);
    expect(String(await first)).toBe('one');
  }
  const first = here.receive();
  setImmediate(() => {
    there.trySend('one');
    there.trySend('two');
  });
  expect(String(await first)).toBe('one');
  expect(String(await here.receive())).toBe('two');
});

test('what an aborted readAll() gave back is there for a read after many that had to wait', async () => {
  const [here, there] = socketPair();
  onTestFinished(() => {
    here.close();
    there.close();
  });
  for (let turn = 0; turn < 2 * ENOUGH; turn++) {
    const next = here.read();
    setImmediate((end: Connection) => end.tryWrite('turn'), there);
    expect(String(await next)).toBe('turn');
  }
  const controller = new AbortController();
  const all = here.readAll({ signal: controller.signal });
  there.tryWrite('kept');
  await vi.waitUntil(() => here.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  expect(String(await here.read())).toBe('kept');
});

/** Two packets, the second of which was taken ahead, and who received the first. */
async function takenAhead(second: string): Promise<Connection> {
  const [here, there] = socketPair({ type: 'seqpacket' });
  onTestFinished(() => {
    here.close();
    there.close();
  });
  for (let i = 0; i < ENOUGH; i++) {
    there.trySend('plain');
    await here.receive();
  }
  there.trySend('first');
  there.trySend(second);
  expect(String(await here.receive())).toBe('first');
  return here;
}

test('available tells of packets that were taken ahead', async () => {
  const here = await takenAhead('second');
  expect(here.available).toBe(6);
  expect(String(here.tryReceive())).toBe('second');
  expect(here.available).toBe(0);
});

test('a packet that was taken ahead is kept by nobody once it was received', async () => {
  const here = await takenAhead('x'.repeat(1000));
  const packet = new WeakRef(here.tryReceive()!);
  await vi.waitUntil(() => {
    globalThis.gc!();
    return packet.deref() === undefined;
  });
  expect(here.closed).toBe(false);
});

test('read({ into }) of a packet whose memory was detached meanwhile leaves it for the next', async () => {
  const [here, there] = socketPair({ type: 'seqpacket' });
  onTestFinished(() => {
    here.close();
    there.close();
  });
  const into = new Uint8Array(16);
  const reading = here.read({ into });
  structuredClone(into.buffer, { transfer: [into.buffer] });
  await there.send('kept');
  await expect(reading).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  expect(String(await here.receive())).toBe('kept');
});

test('read({ into }) of packets fills that memory, after those that were taken ahead, and knows the end', async () => {
  const [here, there] = socketPair({ type: 'seqpacket' });
  onTestFinished(() => {
    here.close();
    there.close();
  });
  for (let i = 0; i < ENOUGH; i++) {
    there.trySend('plain');
    await here.receive();
  }
  for (const text of ['first', 'ahead', 'too']) there.trySend(text);
  expect(String(await here.receive())).toBe('first');
  const into = Buffer.alloc(8, '.');
  const read = async (): Promise<string | null> => {
    const packet = await here.read({ into });
    expect(packet === null || packet.buffer === into.buffer).toBe(true);
    return packet && String(packet);
  };
  expect([await read(), await read()]).toEqual(['ahead', 'too']);
  expect(here.tryRead({ into })).toBe(undefined);
  for (const text of ['short', 'of eight', 'longer than that', 'next']) there.trySend(text);
  expect([await read(), await read(), await read(), await read()]).toEqual([
    'short',
    'of eight',
    'longer t',
    'next',
  ]);
  posix.trySend(there.fd, '');
  there.trySend('behind nothing');
  expect(await read()).toBe('');
  expect(String(here.readSync({ into, maxBytes: 6 }))).toBe('behind');
  there.close();
  expect([await read(), await read()]).toEqual([null, null]);
});
