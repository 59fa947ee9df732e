import { closeSync } from 'node:fs';

import { expect, test } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { isPending, opened } from './opened.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);
const LETTERS = ['A', 'B', 'C', 'D'];

/** Counts records of one size, each all of one letter; whatever was interleaved is 'torn'. */
function counts(bytes: Buffer, size: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (let at = 0; at < bytes.length; at += size) {
    const record = bytes.subarray(at, at + size);
    const whole = record.length === size && record.every((byte) => byte === record[0]);
    const key = whole ? String.fromCharCode(record[0]!) : 'torn';
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

test.each([4096, 1000, 7])(
  'PIPE-015: writeAtomic() of %d bytes by four processes at once: no record is torn',
  async (size) => {
    const { reader, writer } = opened();
    const count = 300;
    const others = LETTERS.map((letter) =>
      Peer.node(peer, ['atomic', 3, letter, count, size], {
        stdio: ['pipe', 'pipe', 'pipe', writer.fd],
      }),
    );
    for (const other of others) expect(await other.line()).toBe('ready');
    writer.close();
    for (const other of others) other.tell('go');
    const all = await reader.readAll();
    expect(counts(all, size)).toEqual({ A: count, B: count, C: count, D: count });
    for (const other of others) expect((await other.ended).code).toBe(0);
  },
);

test('PIPE-015: the same with writers that know nothing of us', async () => {
  const { reader, writer } = opened();
  const script =
    '$SIG{PIPE}="DEFAULT"; <STDIN>; open(my $w, ">&=", 3); syswrite($w, $ARGV[0] x 2000) for 1..200;';
  // Given away it is in blocking mode, as other programs expect.
  const fd = writer.release();
  const others = LETTERS.map((letter) =>
    Peer.start('perl', ['-e', script, letter], { stdio: ['pipe', 'pipe', 'pipe', fd] }),
  );
  closeSync(fd);
  for (const other of others) other.tell('go');
  const all = await reader.readAll();
  expect(counts(all, 2000)).toEqual({ A: 200, B: 200, C: 200, D: 200 });
});

test('writeAtomic() over PIPE_BUF is EMSGSIZE, and nothing is written', async () => {
  const { reader, writer } = opened();
  const data = Buffer.alloc(4097);
  const error = await failure(() => writer.writeAtomic(data));
  expect(error).toMatchObject({ name: 'IpcError', code: 'EMSGSIZE', syscall: 'write' });
  expect(error.hint).toBeTruthy();
  expect(codeNow(() => writer.tryWriteAtomic(data))).toBe('EMSGSIZE');
  expect(codeNow(() => writer.writeAtomicSync(data))).toBe('EMSGSIZE');
  expect(codeNow(() => writer.tryWriteAtomic('é'.repeat(2049)))).toBe('EMSGSIZE');
  expect(reader.available).toBe(0);
  expect(writer.tryWriteAtomic(Buffer.alloc(4096))).toBe(true);
});

test('a waiting writeAtomic() is written whole or not at all', async () => {
  const { reader, writer } = opened();
  writer.writeSync(Buffer.alloc(65_536 - 100, 'f'));
  const controller = new AbortController();
  const waiting = writer.writeAtomic(Buffer.alloc(4096, 'A'), { signal: controller.signal });
  expect(await isPending(waiting)).toBe(true);
  reader.readSync({ maxBytes: 2000 });
  expect(await isPending(waiting)).toBe(true);
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await failure(() => waiting)).toBe(reason);
  expect(reason).not.toHaveProperty('bytesWritten');
  expect(reader.available).toBe(65_536 - 2100);
});
