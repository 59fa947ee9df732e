import { constants } from 'node:fs';

import { PipeReader } from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { flagsOf, sleepingIn } from '../../core/test/proc.js';
import { isPending, opened } from './opened.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

test('PIPE-014: every reader that is blocked, here and elsewhere, gets the end when the last writer closes', async () => {
  const { reader, writer } = opened();
  const others = ['readSync', 'readSync', 'read'].map((how) =>
    Peer.node(peer, [how, 3], { stdio: ['pipe', 'pipe', 'pipe', reader.fd] }),
  );
  for (const other of others) expect(await other.line()).toBe('reading');
  await sleepingIn('poll', others[0]!.pid);
  await sleepingIn('poll', others[1]!.pid);
  const here = [reader.read(), reader.read(), reader.read()];
  writer.close();
  expect(await Promise.all(here)).toEqual([null, null, null]);
  for (const other of others) expect(await other.report()).toEqual({ bytes: 0, sum: 0 });
});

test('PIPE-040: of several readers each byte goes to exactly one', async () => {
  const { reader, writer } = opened();
  const others = ['readSync', 'readSync', 'read'].map((how) =>
    Peer.node(peer, [how, 3, 1000], { stdio: ['pipe', 'pipe', 'pipe', reader.fd] }),
  );
  for (const other of others) expect(await other.line()).toBe('reading');
  reader.close();
  const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => i % 251));
  const writing = writer.write(bytes).then(() => writer.close());
  const totals = await Promise.all(
    others.map((other) => other.report<{ bytes: number; sum: number }>()),
  );
  await writing;
  expect(totals.reduce((all, { bytes: count }) => all + count, 0)).toBe(bytes.length);
  expect(totals.reduce((all, { sum }) => all + sum, 0)).toBe(
    bytes.reduce((all, byte) => all + byte),
  );
});

test('PIPE-035: a reader that adopts a shared end leaves it blocking for the others', async () => {
  const { reader, writer } = opened();
  const fd = reader.release();
  const ours = PipeReader.fromFd(fd);
  onTestFinished(() => ours.close());
  const cat = Peer.start('sh', ['-c', 'exec cat <&3'], { stdio: ['pipe', 'pipe', 'pipe', fd] });
  await sleepingIn('read', cat.pid);
  expect(ours.tryRead()).toBe(undefined);
  const waiting = ours.read();
  expect(await isPending(waiting)).toBe(true);
  expect(flagsOf(0, cat.pid) & constants.O_NONBLOCK).toBe(0);
  // A cat that saw EAGAIN would complain, and end with 1.
  await sleepingIn('read', cat.pid);
  writer.close();
  expect(await waiting).toBe(null);
  expect(await cat.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
});
