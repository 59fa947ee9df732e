import { readFileSync } from 'node:fs';

import { createPipe } from '@octoipc/pipe';
import { expect, test } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { pipeEnds } from '../../core/test/proc.js';
import { opened } from './opened.js';

const PAGE = 4096;
const maxSize = Number(readFileSync('/proc/sys/fs/pipe-max-size', 'utf8'));

test('PIPE-021: a new pipe holds 65536 bytes, and both ends say so', () => {
  const { reader, writer } = opened();
  expect([reader.capacity, writer.capacity]).toEqual([65_536, 65_536]);
  expect(writer.tryWrite(Buffer.alloc(100_000))).toBe(65_536);
});

test('PIPE-022: a capacity is rounded up to a power of two of pages, and both ends report it', () => {
  const { reader, writer } = opened();
  const cases = [
    [1, PAGE],
    [PAGE, PAGE],
    [PAGE + 1, 2 * PAGE],
    [3 * PAGE, 4 * PAGE],
    [100_000, 131_072],
    [maxSize, maxSize],
  ] as const;
  cases.forEach(([asked, real], i) => {
    (i % 2 === 0 ? reader : writer).capacity = asked;
    expect([reader.capacity, writer.capacity]).toEqual([real, real]);
    const made = createPipe({ capacity: asked });
    expect([made.reader.capacity, made.writer.capacity]).toEqual([real, real]);
    made.close();
  });
});

test('PIPE-022: another process sees the same capacity', async () => {
  const { reader, writer } = opened({ capacity: 2 * 65_536 });
  const script = 'import fcntl; print(fcntl.fcntl(3, 1032))';
  const { stdout } = await Peer.start('python3', ['-c', script], {
    stdio: ['ignore', 'pipe', 'pipe', writer.fd],
  }).ended;
  expect(stdout).toBe(`${reader.capacity}\n`);
});

test('PIPE-023: less than what is buffered is EBUSY, and the capacity stays', async () => {
  const { reader, writer } = opened();
  writer.writeSync(Buffer.alloc(3 * PAGE));
  for (const end of [reader, writer]) {
    const error = await failure(() => (end.capacity = PAGE));
    expect(error).toMatchObject({
      name: 'IpcError',
      code: 'EBUSY',
      syscall: 'fcntl',
      target: end.fd,
    });
    expect(error.hint).toBeTruthy();
    expect(end.capacity).toBe(65_536);
  }
  reader.capacity = 4 * PAGE;
  expect(reader.readSync()!.length).toBe(3 * PAGE);
});

test('PIPE-025 BIND-004: over 2^31 and whatever else is no capacity is refused before any call', () => {
  const { reader, writer } = opened();
  const before = pipeEnds();
  for (const capacity of [2 ** 31, 2 ** 32, 2 ** 53, 0, -1, 1.5, Number.NaN, Infinity]) {
    expect(codeNow(() => createPipe({ capacity }))).toBe('ERR_OUT_OF_RANGE');
    expect(codeNow(() => (reader.capacity = capacity))).toBe('ERR_OUT_OF_RANGE');
    expect(codeNow(() => (writer.capacity = capacity))).toBe('ERR_OUT_OF_RANGE');
  }
  for (const capacity of ['65536', null, 5n, {}, true] as unknown as number[]) {
    expect(codeNow(() => createPipe({ capacity }))).toBe('ERR_INVALID_ARG_TYPE');
    expect(codeNow(() => (writer.capacity = capacity))).toBe('ERR_INVALID_ARG_TYPE');
  }
  expect([pipeEnds(), reader.capacity]).toEqual([before, 65_536]);
});

test('a larger capacity lets a waiting write go on', async () => {
  const { reader, writer } = opened();
  const waiting = writer.write(Buffer.alloc(100_000));
  reader.capacity = 262_144;
  await waiting;
  expect(reader.available).toBe(100_000);
});
