import { createHash } from 'node:crypto';

import { payload } from './payload.js';
import { hold, unattended, type Roles } from './stage.js';

/** The message that comes as number so-and-so. */
export function numbered(index: number): Buffer {
  return Buffer.concat([Buffer.from(`${index}:`), payload(index % 200, index + 1)]);
}

/** Roles of the crash suite: each is at one end of a stream or channel, and is killed sooner or later. */
export const peerRoles: Roles = {
  /** Writes so many bytes, then holds its end open. */
  async write({ actor, args, say }) {
    const writer = await actor('writer')();
    await writer.write(payload(Number(args[0])));
    say('written');
    hold();
  },

  /** Writes until the stream is full, and waits to write on. */
  async flood({ actor, args, say }) {
    const writer = await actor('writer')();
    const data = payload(Number(args[0]));
    let written = 0;
    for (let count = -1; count !== 0; written += count) {
      count = writer.tryWrite(data.subarray(written));
    }
    unattended(writer.write(data.subarray(written)));
    say(String(written));
    hold();
  },

  /** Reads so many bytes, then no more. */
  async read({ actor, args, say }) {
    const reader = await actor('reader')();
    for (let left = Number(args[0]); left > 0;) {
      const chunk = await reader.read({ maxBytes: left });
      if (chunk === null) throw new Error('the stream ended early');
      left -= chunk.length;
    }
    say('read');
    hold();
  },

  /** Reads everything; says that it begins, and what came. */
  async consume({ actor, say }) {
    const reader = await actor('reader')();
    const hash = createHash('sha256');
    let total = 0;
    const first = reader.read();
    say('reading');
    for (let chunk = await first; chunk !== null; chunk = await reader.read()) {
      hash.update(chunk);
      total += chunk.length;
    }
    say(JSON.stringify({ total, hash: hash.digest('hex') }));
    reader.close();
  },

  /** Sends so many numbered messages, then holds its end open. */
  async send({ actor, args, say }) {
    const sender = await actor('sender')();
    for (let i = 0; i < Number(args[0]); i++) await sender.send(numbered(i));
    say('sent');
    hold();
  },

  /** Receives so many messages, then waits for one more. */
  async receive({ actor, args, say }) {
    const receiver = await actor('receiver')();
    for (let i = 0; i < Number(args[0]); i++) {
      const message = await receiver.receive();
      if (message === null || !message.equals(numbered(i)))
        throw new Error(`message ${i} is wrong`);
    }
    if (args[1] === 'wait') unattended(receiver.receive());
    say('received');
    hold();
  },
};
