import {
  bytes,
  frameReceiver,
  frameSender,
  json,
  structured,
  text,
  withCodec,
} from '@octoipc/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { codeNow, codeOf } from './failure.js';
import { ScriptedReader, ScriptedWriter } from './scripted-stream.js';

describe('codecs', () => {
  test('text, json and bytes give back what they were given', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.jsonValue(),
        fc.uint8Array(),
        (word, value, raw) => {
          expect(text.decode(text.encode(word))).toBe(word);
          expect(json.decode(json.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
          expect(bytes.decode(bytes.encode(raw))).toBe(raw);
        },
      ),
    );
  });

  test('structured gives back what structured clone can carry', () => {
    const cycle: Record<string, unknown> = { name: 'cycle' };
    cycle['self'] = cycle;
    const value = {
      map: new Map([[1, new Set(['a'])]]),
      date: new Date(0),
      big: 2n ** 70n,
      floats: new Float64Array([1.5, -0]),
      none: undefined,
      cycle,
    };
    const back = structured.decode(structured.encode(value)) as typeof value;
    expect(back).toEqual(value);
    expect(back.cycle['self']).toBe(back.cycle);
  });

  test('decoding reads the view, and nothing around it', () => {
    const around = (encoded: Uint8Array) => {
      const memory = Buffer.alloc(encoded.length + 20, 0xee);
      memory.set(encoded, 10);
      return new Uint8Array(memory.buffer, memory.byteOffset + 10, encoded.length);
    };
    expect(text.decode(around(text.encode('é')))).toBe('é');
    expect(json.decode(around(json.encode([1])))).toEqual([1]);
    expect(structured.decode(around(structured.encode({ a: 1 })))).toEqual({ a: 1 });
  });

  test('what has no JSON form is ERR_INVALID_ARG_VALUE', () => {
    for (const value of [undefined, () => 5, Symbol('x')]) {
      expect(codeNow(() => json.encode(value))).toBe('ERR_INVALID_ARG_VALUE');
    }
    const wrong = { name: 'IpcError', code: 'EBADMSG', cause: expect.any(SyntaxError) as Error };
    expect(() => json.decode(Buffer.from('{'))).toThrow(expect.objectContaining(wrong));
  });
});

test('what cannot be encoded has a code, and its cause', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [1n, cycle]) {
    expect(codeNow(() => json.encode(value))).toBe('ERR_INVALID_ARG_VALUE');
  }
  const own = new TypeError('mine');
  const throwing = {
    toJSON() {
      throw Object.assign(own, { code: 'MINE' });
    },
  };
  expect(() => json.encode(throwing)).toThrow(own);
  expect(codeNow(() => structured.encode(Promise.resolve()))).toBe('ERR_INVALID_ARG_VALUE');
});

test("a peer's bytes that are no structured clone are EBADMSG", () => {
  for (const bad of [Buffer.alloc(0), Buffer.from([255, 15, 111]), Buffer.from('{}')]) {
    expect(codeNow(() => structured.decode(bad))).toBe('EBADMSG');
  }
  for (const codec of [text, json, structured]) {
    for (const wrong of [undefined, 5, null]) {
      expect(codeNow(() => codec.decode(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
    }
  }
});

describe('withCodec', () => {
  test('refuses what is no channel, and what is no codec', () => {
    const sender = frameSender(new ScriptedWriter());
    for (const wrong of [undefined, null, {}, 5, { send: 1 }, { send() {} }]) {
      expect(codeNow(() => withCodec(wrong as never, json))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeNow(() => withCodec(sender, wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('sends and receives values, by promise, by trying and by iteration', async () => {
    const writer = new ScriptedWriter();
    const sender = withCodec(frameSender(writer), json);
    await sender.send({ n: 1 });
    expect(sender.trySend([2])).toBe(true);
    await sender.send('three', { timeout: 1000 });
    const receiver = withCodec(frameReceiver(new ScriptedReader([writer.written])), json);
    expect(receiver.tryReceive()).toEqual({ n: 1 });
    expect(await receiver.receive({ timeout: 1000 })).toEqual([2]);
    const rest: unknown[] = [];
    for await (const value of receiver) rest.push(value);
    expect(rest).toEqual(['three']);
    expect([receiver.tryReceive(), await receiver.receive()]).toEqual([null, null]);
  });

  test('shows the channel below: traits, limits, close', async () => {
    const writer = new ScriptedWriter();
    const below = frameSender(writer, { maxMessageSize: 8, mechanism: 'test' });
    const sender = withCodec(below, text);
    expect(sender.traits).toBe(below.traits);
    expect(await codeOf(() => sender.send('nine bytes'))).toBe('EMSGSIZE');
    expect(sender.closed).toBe(false);
    sender[Symbol.dispose]();
    expect([sender.closed, below.closed, writer.closed]).toEqual([true, true, true]);
    expect(await codeOf(() => sender.send('x'))).toBe('ERR_CLOSED');
  });

  test('a value that cannot be encoded rejects, and sends nothing', async () => {
    const writer = new ScriptedWriter();
    const sender = withCodec(frameSender(writer), json);
    expect(await codeOf(() => sender.send(undefined))).toBe('ERR_INVALID_ARG_VALUE');
    expect(codeNow(() => sender.trySend(undefined))).toBe('ERR_INVALID_ARG_VALUE');
    expect(writer.written.length).toBe(0);
  });

  test('a message that cannot be decoded rejects, and the next one is received', async () => {
    const writer = new ScriptedWriter();
    await frameSender(writer).sendMany(['{', '[1]']);
    const receiver = withCodec(frameReceiver(new ScriptedReader([writer.written])), json);
    expect(await codeOf(() => receiver.receive())).toBe('EBADMSG');
    expect(await receiver.receive()).toEqual([1]);
  });
});
