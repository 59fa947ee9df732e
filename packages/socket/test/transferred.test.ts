import { expect, test } from 'vitest';

import { transferAway } from '../../core/test/transferring.js';
import { pair } from './opened.js';

test('packets that were taken ahead stay whole when the memory of one was to be transferred away', async () => {
  const [left, right] = pair('seqpacket');
  const sent = Array.from({ length: 60 }, (_, i) => `message ${i}`);
  const received: string[] = [];
  for (const message of sent) await left.send(message);
  for (const message of sent) {
    const data = (await right.receive())!;
    received.push(String(data));
    if (message === sent[30]) transferAway(data);
  }
  expect(received).toEqual(sent);
});
