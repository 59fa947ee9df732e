import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';

import { PipeReader, PipeWriter } from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { descriptors, flagsOf } from '../../core/test/proc.js';
import { opened } from './opened.js';

const NONBLOCK = constants.O_NONBLOCK;

/** The bare descriptors of a pipe, in blocking mode as other programs make them. */
function bare(): { reader: number; writer: number } {
  const { reader, writer } = opened();
  return { reader: reader.release(), writer: writer.release() };
}

function open(path: string, flags = 'r'): number {
  const fd = openSync(path, flags);
  onTestFinished(() => closeSync(fd));
  return fd;
}

test('fromFd() takes over the ends of a pipe, and closes them', async () => {
  const ends = bare();
  const reader = PipeReader.fromFd(ends.reader);
  const writer = PipeWriter.fromFd(ends.writer);
  await writer.write('adopted');
  expect(String(await reader.read())).toBe('adopted');
  const waiting = reader.read();
  writer.close();
  expect(await waiting).toBe(null);
  reader.close();
  expect([descriptors().has(ends.reader), descriptors().has(ends.writer)]).toEqual([false, false]);
});

test('PIPE-034 PIPE-035: an adopted end stays in the mode that it came in; the other end is not changed', async () => {
  const ends = bare();
  const [reader, writer] = [PipeReader.fromFd(ends.reader), PipeWriter.fromFd(ends.writer)];
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  expect(reader.tryRead()).toBe(undefined);
  const waiting = reader.read();
  expect(writer.tryWrite(Buffer.alloc(100_000))).toBe(65_536);
  await waiting;
  expect(flagsOf(reader.fd) & NONBLOCK).toBe(0);
  expect(flagsOf(writer.fd) & NONBLOCK).toBe(0);
  expect(flagsOf(reader.release()) & NONBLOCK).toBe(0);
  closeSync(ends.reader);
});

test('PIPE-034: O_NONBLOCK is of the description: a duplicate has it, the other end has not', async () => {
  const { reader, writer } = opened();
  const fd = reader.release();
  onTestFinished(() => closeSync(fd));
  expect([flagsOf(fd) & NONBLOCK, flagsOf(writer.fd) & NONBLOCK]).toEqual([0, NONBLOCK]);
  // A child that shares the write end's description sees the flag as we have it.
  const child = Peer.start('sh', ['-c', 'grep flags /proc/self/fdinfo/3; read _'], {
    stdio: ['pipe', 'pipe', 'pipe', writer.fd],
  });
  expect(Number.parseInt((await child.line()).split(/\s+/)[1]!, 8) & NONBLOCK).toBe(NONBLOCK);
  child.tell('');
});

test('PIPE-002: fromFd() of the wrong end is EBADF, and leaves it alone', async () => {
  const ends = bare();
  onTestFinished(() => Object.values(ends).forEach((fd) => closeSync(fd)));
  expect(await failure(() => PipeReader.fromFd(ends.writer))).toMatchObject({
    name: 'IpcError',
    code: 'EBADF',
    syscall: 'read',
    target: ends.writer,
  });
  expect(codeNow(() => PipeWriter.fromFd(ends.reader))).toBe('EBADF');
  writeSync(ends.writer, 'still open');
  expect(readSync(ends.reader, Buffer.alloc(20))).toBe(10);
});

test('fromFd() of a closed descriptor is EBADF', () => {
  const fd = openSync('/dev/null', 'r');
  closeSync(fd);
  expect(codeNow(() => PipeReader.fromFd(fd))).toBe('EBADF');
  expect(codeNow(() => PipeWriter.fromFd(fd))).toBe('EBADF');
  expect(codeNow(() => PipeReader.fromFd(2 ** 31 - 1))).toBe('EBADF');
});

test('fromFd() of a file, a folder, a device or a socket is ERR_INVALID_ARG_VALUE, and it stays open', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
  const socket = (server as unknown as { _handle: { fd: number } })._handle.fd;
  const fds = [
    open(import.meta.filename),
    open(import.meta.dirname),
    open('/dev/null', 'w'),
    socket,
  ];
  for (const fd of fds) {
    expect(codeNow(() => PipeReader.fromFd(fd))).toBe('ERR_INVALID_ARG_VALUE');
    expect(codeNow(() => PipeWriter.fromFd(fd))).toBe('ERR_INVALID_ARG_VALUE');
    expect(descriptors().has(fd)).toBe(true);
  }
});

test('BIND-004: fromFd() of what is no descriptor is refused before any call', () => {
  for (const fd of [-1, 1.5, Number.NaN, 2 ** 31, 2 ** 53, Infinity]) {
    expect(codeNow(() => PipeReader.fromFd(fd))).toBe('ERR_OUT_OF_RANGE');
    expect(codeNow(() => PipeWriter.fromFd(fd))).toBe('ERR_OUT_OF_RANGE');
  }
  for (const fd of ['0', null, undefined, 0n, {}, { fd: 0 }, [0], true] as unknown as number[]) {
    expect(codeNow(() => PipeReader.fromFd(fd))).toBe('ERR_INVALID_ARG_TYPE');
    expect(codeNow(() => PipeWriter.fromFd(fd))).toBe('ERR_INVALID_ARG_TYPE');
  }
});

test('PIPE-038: a descriptor that a handle owns cannot be adopted again: EEXIST', async () => {
  const { reader, writer } = opened();
  const error = await failure(() => PipeReader.fromFd(reader.fd));
  expect(error).toMatchObject({ code: 'EEXIST', target: reader.fd });
  expect(error.hint).toBeTruthy();
  expect(codeNow(() => PipeWriter.fromFd(writer.fd))).toBe('EEXIST');
  const again = PipeReader.fromFd(reader.release());
  await writer.write('released and adopted');
  expect(String(await again.read())).toBe('released and adopted');
  again.close();
});

test('a program finds its standard input and output as pipes, by fromFd(0) and fromFd(1)', async () => {
  const scene = `
    import { PipeReader, PipeWriter } from '@octoipc/pipe';
    const input = PipeReader.fromFd(0);
    const output = PipeWriter.fromFd(1);
    for await (const line of input.lines()) await output.write(line.toUpperCase() + '\\n');`;
  const command = `printf 'one\\ntwo' | "$0" --input-type=module -e "$1" | cat`;
  const { stdout, stderr } = await Peer.start('sh', ['-c', command, process.execPath, scene], {
    cwd: import.meta.dirname,
  }).ended;
  expect({ stdout, stderr }).toEqual({ stdout: 'ONE\nTWO\n', stderr: '' });
});

test('an end is handed to a worker by release() and fromFd()', async () => {
  const { reader, writer } = opened();
  const worker = new Worker(
    `const { PipeReader } = require('@octoipc/pipe');
     const { parentPort, workerData } = require('node:worker_threads');
     const reader = PipeReader.fromFd(workerData);
     reader.read().then((chunk) => { reader.close(); parentPort.postMessage(String(chunk)); });`,
    { eval: true, workerData: reader.release() },
  );
  onTestFinished(() => void worker.terminate());
  await writer.write('to the worker');
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe('to the worker');
});

test('fromFd() in a worker leaves nobody else’s descriptor closed when the worker ends', async () => {
  const { ended } = Peer.node(new URL('fixtures/adopting.mjs', import.meta.url));
  const stdout = '{"free":true,"same":true,"kept":true}\n';
  expect(await ended).toEqual({ code: 0, signal: null, stdout, stderr: '' });
});
