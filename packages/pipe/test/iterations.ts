import type { IterationAdapter } from '@octoipc/conformance';
import { json, withCodec } from '@octoipc/core';
import { createPipe, pipeReceiver, pipeSender } from '@octoipc/pipe';

const mechanism = 'PIPE';

const chunks: IterationAdapter = {
  name: 'PipeReader',
  mechanism,
  open() {
    const pipe = createPipe();
    return {
      iterate: () => pipe.reader[Symbol.asyncIterator](),
      handle: pipe.reader,
      give: (token) => pipe.writer.write(Uint8Array.of(token)),
      token: (chunk: Buffer) => chunk[0],
      close: () => pipe.close(),
    };
  },
};

const lines: IterationAdapter = {
  name: 'PipeReader.lines()',
  mechanism,
  open() {
    const pipe = createPipe();
    return {
      iterate: () => pipe.reader.lines(),
      handle: pipe.reader,
      give: (token) => pipe.writer.write(`${token}\n`),
      token: Number,
      close: () => pipe.close(),
    };
  },
};

const frames: IterationAdapter = {
  name: 'pipeReceiver()',
  mechanism,
  open() {
    const pipe = createPipe();
    const sender = pipeSender(pipe.writer);
    const receiver = pipeReceiver(pipe.reader);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send(Uint8Array.of(token)),
      token: (message: Buffer) => message[0],
      close: () => pipe.close(),
    };
  },
};

const values: IterationAdapter = {
  name: 'withCodec(pipeReceiver())',
  mechanism,
  open() {
    const pipe = createPipe();
    const sender = withCodec(pipeSender(pipe.writer), json);
    const receiver = withCodec(pipeReceiver(pipe.reader), json);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send({ token }),
      token: (value: { token: number }) => value.token,
      close: () => pipe.close(),
    };
  },
};

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [chunks, lines, frames, values];
