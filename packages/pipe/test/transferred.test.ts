import { pipeReceiver, pipeSender } from '@octoipc/pipe';
import { expect, test } from 'vitest';

import { transferAway } from '../../core/test/transferring.js';
import { opened } from './opened.js';

test('reads go on after the memory of one was to be transferred away, of this pipe and of others', async () => {
  const [one, other] = [opened(), opened()];
  await one.writer.write('abc');
  await other.writer.write('kept');
  const [first, kept] = [(await one.reader.read())!, (await other.reader.read())!];
  transferAway(first);
  expect(String(kept)).toBe('kept');
  for (const { reader, writer } of [one, other, one]) {
    await writer.write('next');
    expect(String(await reader.read())).toBe('next');
  }
});

test('messages that came together stay whole when the memory of one was to be transferred away', async () => {
  const { reader, writer } = opened();
  const sender = pipeSender(writer);
  const receiver = pipeReceiver(reader);
  await sender.sendMany(['one', 'two', 'three']);
  const first = (await receiver.receive())!;
  transferAway(first);
  expect(String(await receiver.receive())).toBe('two');
  expect(String(await receiver.receive())).toBe('three');
});
