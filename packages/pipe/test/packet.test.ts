import { constants } from 'node:fs';

import { createPipe } from '@octoipc/pipe';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { flagsOf } from '../../core/test/proc.js';
import { opened } from './opened.js';

test('PIPE-027: in packet mode each read gives one write, and a short one discards the rest of it', async () => {
  const { reader, writer } = opened({ packet: true });
  expect(flagsOf(writer.fd) & constants.O_DIRECT).toBe(constants.O_DIRECT);
  await writer.write('abc');
  await writer.write('defgh');
  expect(String(await reader.read())).toBe('abc');
  expect(String(await reader.read({ maxBytes: 2 }))).toBe('de');
  expect(reader.tryRead()).toBe(undefined);
  await writer.write('ijk');
  expect(String(await reader.read({ into: Buffer.alloc(1) }))).toBe('i');
  expect([reader.available, reader.tryRead()]).toEqual([0, undefined]);
});

test('PIPE-028: a write over PIPE_BUF is split into packets of PIPE_BUF, and nothing is no packet', async () => {
  const { reader, writer } = opened({ packet: true });
  await writer.write(Buffer.alloc(10_000, 'p'));
  await writer.write('');
  await writer.write('end');
  const sizes: number[] = [];
  for (let i = 0; i < 4; i++) sizes.push((await reader.read())!.length);
  expect(sizes).toEqual([4096, 4096, 10_000 - 2 * 4096, 3]);
  writer.close();
  expect(await reader.read()).toBe(null);
});

test('PIPE-027: any packets come one by one, as they were written', async () => {
  const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 4096 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(packets, async (all) => {
      using pipe = createPipe({ packet: true });
      const writing = (async () => {
        for (const one of all) await pipe.writer.writeAtomic(one);
        pipe.writer.close();
      })();
      const got: Buffer[] = [];
      for await (const packet of pipe.reader) got.push(packet);
      await writing;
      expect(got.length).toBe(all.length);
      expect(got.every((packet, i) => packet.equals(all[i]!))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('without packet mode the boundaries of writes are lost', async () => {
  const { reader, writer } = opened();
  await writer.write('abc');
  await writer.write('def');
  expect(String(await reader.read())).toBe('abcdef');
});
