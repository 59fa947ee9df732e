// Frames and codecs, which peers send.
import { frameReceiver, json, structured, text } from '../../../packages/core/src/index.ts';
import { framesOf, linesOf } from '../../../packages/octoipc/src/command/messages-in.ts';
import { attempt, must, typed } from './checking.mjs';

/** A stream that gives the bytes in pieces, which the first of them decide. */
function pieces(bytes) {
  const size = 1 + ((bytes[0] ?? 0) % 17);
  const chunks = [];
  for (let at = 0; at < bytes.length; at += size)
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
  return chunks;
}

class Reader {
  closed = false;
  #chunks;

  constructor(chunks) {
    this.#chunks = chunks;
  }

  tryRead({ into, maxBytes = 65_536 } = {}) {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    const length = Math.min(into?.length ?? maxBytes, maxBytes, chunk.length);
    if (length < chunk.length) this.#chunks.unshift(chunk.subarray(length));
    if (into === undefined) return chunk.subarray(0, length);
    chunk.copy(into, 0, 0, length);
    return into.subarray(0, length);
  }

  async read(options) {
    return this.tryRead(options);
  }

  close() {
    this.closed = true;
  }
}

/** What frames are, in the fewest words. */
function framesIn(bytes, most) {
  const messages = [];
  for (let at = 0; ;) {
    if (at === bytes.length) return { messages, end: 'end' };
    if (at + 4 > bytes.length) return { messages, end: 'ERR_TRUNCATED' };
    const length = bytes.readUInt32LE(at);
    if (length > most) return { messages, end: 'EMSGSIZE' };
    if (at + 4 + length > bytes.length) return { messages, end: 'ERR_TRUNCATED' };
    messages.push(bytes.subarray(at + 4, at + 4 + length).toString('hex'));
    at += 4 + length;
  }
}

async function collect(next) {
  const messages = [];
  try {
    for (;;) {
      const message = await next();
      if (message === null) return { messages, end: 'end' };
      messages.push(Buffer.from(message).toString('hex'));
    }
  } catch (error) {
    typed(error);
    return { messages, end: error.code };
  }
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function frames(bytes) {
  const receiver = frameReceiver(new Reader(pieces(bytes)), { maxMessageSize: 300 });
  must(
    same(await collect(() => receiver.receive()), framesIn(bytes, 300)),
    'frames are what their bytes say',
  );
}

async function commandFrames(bytes) {
  const iterator = framesOf(
    (async function* () {
      yield* pieces(bytes);
    })(),
  );
  const got = await collect(async () => {
    const { done, value } = await iterator.next();
    return done ? null : value;
  });
  must(same(got, framesIn(bytes, 16 * 1024 * 1024)), 'frames of a file are what its bytes say');
  const lines = [];
  for await (const line of linesOf(
    (async function* () {
      yield* pieces(bytes);
    })(),
  ))
    lines.push(line.toString('hex'));
  const wanted = bytes.length === 0 ? [] : bytes.toString('latin1').replace(/\n$/, '').split('\n');
  must(
    same(
      lines,
      wanted.map((line) => Buffer.from(line, 'latin1').toString('hex')),
    ),
    'lines are split at their ends',
  );
}

function codecs(bytes) {
  attempt(() => text.decode(bytes));
  attempt(() => json.decode(bytes), SyntaxError);
  attempt(() => structured.decode(bytes));
}

export const FRAMES = {
  frames: { mechanism: 'core', check: frames, seeds: [Buffer.from('\u0001\0\0\0a\u0002\0\0\0bc')] },
  codecs: {
    mechanism: 'core',
    check: codecs,
    seeds: [Buffer.from('{"a":[1,"x"]}'), structured.encode({ a: new Map([[1, new Date(0)]]) })],
  },
  'frames of a file': {
    mechanism: 'octoipc',
    check: commandFrames,
    seeds: [Buffer.from('\u0001\0\0\0a\n')],
  },
};
