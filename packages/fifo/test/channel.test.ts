import {
  fifoReceiver,
  fifoSender,
  mkfifo,
  openReader,
  openWriter,
  type FifoReceiverOptions,
} from '@octoipc/fifo';
import { expect, test } from 'vitest';

import { fixture, shell, start } from './peer.js';
import { freshPath } from './place.js';

function fifo(): string {
  const path = freshPath();
  mkfifo(path);
  return path;
}

const WRITERS = 16;
const MESSAGES = 200;

test('FIFO-021: with multipleSenders, messages of 16 processes at once arrive whole, each sender in its order', async () => {
  const path = fifo();
  const receiver = await fifoReceiver(path, { multipleSenders: true });
  const peers = Array.from({ length: WRITERS }, (_, id) =>
    fixture('sender.mjs', path, String(id), String(MESSAGES)),
  );
  const next = Array.from({ length: WRITERS }, () => 0);
  for (let i = 0; i < WRITERS * MESSAGES; i++) {
    const message = (await receiver.receive())!;
    const [id, index] = [message.readUInt8(0), message.readUInt16LE(1)];
    expect(index).toBe(next[id]);
    next[id]! += 1;
    // Every byte that follows is the sender's own.
    expect(message.subarray(3).equals(Buffer.alloc(message.length - 3, id))).toBe(true);
  }
  expect(receiver.tryReceive()).toBeUndefined();
  for (const peer of peers) expect((await peer.ended).code).toBe(0);
  receiver.close();
});

const PYTHON = `
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
for _ in range(200): os.write(fd, sys.argv[2].encode() * 4096)
`;
const PERL = `
use Fcntl;
sysopen(F, $ARGV[0], O_WRONLY) or die;
for (1..200) { syswrite(F, $ARGV[1] x 4096) == 4096 or die }
`;

test('FIFO-021: writeAtomic() is not interleaved with records of python3, perl and dd(1)', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const writer = await openWriter(path);
  const peers = [
    start('python3', ['-c', PYTHON, path, 'p']),
    start('perl', ['-e', PERL, path, 'q']),
    shell('tr "\\0" d < /dev/zero | dd iflag=fullblock bs=4096 count=200 status=none > "$0"', path),
  ];
  const writing = (async () => {
    for (let i = 0; i < 200; i++) await writer.writeAtomic('n'.repeat(4096));
    for (const peer of peers) await peer.ended;
    writer.close();
  })();
  const record = Buffer.alloc(4096);
  const counts: Record<string, number> = {};
  for (;;) {
    let filled = 0;
    while (filled < record.length) {
      const chunk = await reader.read({ into: record.subarray(filled) });
      if (chunk === null) break;
      filled += chunk.length;
    }
    if (filled === 0) break;
    const letter = String.fromCharCode(record[0]!);
    expect(record.equals(Buffer.alloc(4096, letter))).toBe(true);
    counts[letter] = (counts[letter] ?? 0) + 1;
  }
  expect(counts).toEqual({ d: 200, n: 200, p: 200, q: 200 });
  await writing;
  reader.close();
});

test('with multipleSenders a frame over PIPE_BUF is refused by both ends with EMSGSIZE', async () => {
  const path = fifo();
  const receiver = await fifoReceiver(path, { multipleSenders: true });
  const sender = await fifoSender(path, { multipleSenders: true, maxMessageSize: 1 << 20 });
  expect([sender.traits, receiver.traits]).toEqual(
    Array.from({ length: 2 }, () =>
      expect.objectContaining({ mechanism: 'fifo', multipleSenders: true, maxMessageSize: 4092 }),
    ),
  );
  // An option that cannot be raised is no remedy.
  const hint = expect.not.stringContaining('maxMessageSize') as string;
  await expect(sender.send(Buffer.alloc(4093))).rejects.toMatchObject({ code: 'EMSGSIZE', hint });
  expect(() => sender.trySend(Buffer.alloc(4093))).toThrow(
    expect.objectContaining({ code: 'EMSGSIZE' }),
  );
  await sender.send(Buffer.alloc(4092, 'x'));
  expect((await receiver.receive())?.length).toBe(4092);
  const careless = await fifoSender(path);
  await careless.send(Buffer.alloc(4093));
  await expect(receiver.receive()).rejects.toMatchObject({ code: 'EMSGSIZE' });
  for (const end of [careless, sender, receiver]) end.close();
});

test('trySend() to a FIFO with less room than the frame takes sends nothing', async () => {
  const path = fifo();
  const receiver = await fifoReceiver(path, { multipleSenders: true });
  const sender = await fifoSender(path, { multipleSenders: true });
  let sent = 0;
  while (sender.trySend(Buffer.alloc(3000, sent))) sent += 1;
  expect(sender.trySend(Buffer.alloc(4092))).toBe(false);
  const waiting = sender.send(Buffer.alloc(4092, 'w'));
  for (let i = 0; i < sent; i++) {
    expect(await receiver.receive()).toEqual(Buffer.alloc(3000, i));
  }
  expect(await receiver.receive()).toEqual(Buffer.alloc(4092, 'w'));
  await waiting;
  sender.close();
  receiver.close();
});

test('fifoReceiver() of one sender ends with it; with multipleSenders, or persistent, it outlives them', async () => {
  const cases: [Pick<FifoReceiverOptions, 'multipleSenders' | 'persistent'>, boolean][] = [
    [{}, false],
    [{ multipleSenders: true }, true],
    [{ persistent: true }, true],
    [{ multipleSenders: true, persistent: false }, false],
    [{ multipleSenders: false, persistent: true }, true],
  ];
  for (const [options, outlives] of cases) {
    const path = fifo();
    const receiver = await fifoReceiver(path, options);
    const { multipleSenders } = options;
    const sender = await fifoSender(path, { multipleSenders });
    await sender.send('last words');
    sender.close();
    expect(String(await receiver.receive())).toBe('last words');
    expect(receiver.tryReceive()).toBe(outlives ? undefined : null);
    receiver.close();
  }
});

test('fifoReceiver() rejects with ERR_TRUNCATED when its sender is killed inside a message', async () => {
  const path = fifo();
  const receiver = await fifoReceiver(path);
  await shell(`printf '\\012\\000\\000\\000half' > "$0"`, path).ended;
  await expect(receiver.receive()).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
  receiver.close();
});

test('FIFO-025: what opens a FIFO to truncate it or to append to it loses nothing that is in it', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const writer = await openWriter(path);
  await writer.write('a');
  await shell('printf b > "$0"; printf c >> "$0"', path).ended;
  await start('python3', ['-c', 'import sys; open(sys.argv[1], "w").write("d")', path]).ended;
  writer.close();
  expect(String(await reader.readAll())).toBe('abcd');
  reader.close();
});

test('FIFO-022: capacity is that of a pipe, shared by both ends, and back at its default once all have closed', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const writer = await openWriter(path);
  const usual = reader.capacity;
  writer.capacity = 5000;
  expect([reader.capacity, writer.capacity]).toEqual([8192, 8192]);
  await writer.write(Buffer.alloc(8192));
  expect(writer.tryWrite('x')).toBe(0);
  expect(() => (reader.capacity = 4096)).toThrow(
    expect.objectContaining({ code: 'EBUSY', target: path }),
  );
  writer.close();
  reader.close();
  const again = await openReader(path);
  expect(again.capacity).toBe(usual);
  again.close();
});

test('a FIFO with one descriptor left: what fits works, what does not is EMFILE, and none is lost', async () => {
  const peer = fixture('exhausted.mjs', freshPath());
  expect(JSON.parse(await peer.line())).toEqual({
    mkfifo: 'done',
    'mkfifo, mode 0o666': 'done',
    openReader: 'opened',
    'openReader, waitForWriter': 'EMFILE',
    tryOpenWriter: 'null',
    openWriter: 'EMFILE',
    'readSync, persistent': 'EMFILE',
    left: 1,
    threads: 0,
  });
  expect((await peer.ended).code).toBe(0);
});
