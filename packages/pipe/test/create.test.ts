import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';

import { createPipe, PipeReader, PipeWriter } from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { CLOEXEC, flagsOf, pipeEnds, positionOf } from '../../core/test/proc.js';
import { opened } from './opened.js';

const ACCESS = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR;

test('PIPE-001: createPipe() gives an end to read and one to write, and bytes come out in order', async () => {
  const { reader, writer } = opened();
  expect(reader).toBeInstanceOf(PipeReader);
  expect(writer).toBeInstanceOf(PipeWriter);
  expect(flagsOf(reader.fd) & ACCESS).toBe(constants.O_RDONLY);
  expect(flagsOf(writer.fd) & ACCESS).toBe(constants.O_WRONLY);
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));
  for (let i = 0; i < bytes.length; i += 500) writer.writeSync(bytes.subarray(i, i + 500));
  writer.close();
  expect((await reader.readAll()).equals(bytes)).toBe(true);
});

test('PIPE-002: writing to the read end and reading from the write end is EBADF', async () => {
  const { reader, writer } = opened();
  expect(codeNow(() => writeSync(reader.fd, 'x'))).toBe('EBADF');
  expect(codeNow(() => readSync(writer.fd, Buffer.alloc(1)))).toBe('EBADF');
  expect('write' in reader || 'read' in writer).toBe(false);
});

test('PIPE-003: both ends are close-on-exec, so a child has neither', async () => {
  const { reader, writer } = opened();
  expect(flagsOf(reader.fd) & CLOEXEC).toBe(CLOEXEC);
  expect(flagsOf(writer.fd) & CLOEXEC).toBe(CLOEXEC);
  const link = readlinkSync(`/proc/self/fd/${reader.fd}`);
  const { stdout } = await Peer.start('ls', ['-l', '/proc/self/fd']).ended;
  expect(stdout).toContain(' 0 -> ');
  expect(stdout).not.toContain(link);
});

test('PIPE-004: both ends are non-blocking, with and without packets', () => {
  for (const packet of [false, true]) {
    const { reader, writer } = opened({ packet });
    expect(flagsOf(reader.fd) & constants.O_NONBLOCK).toBe(constants.O_NONBLOCK);
    expect(flagsOf(writer.fd) & constants.O_NONBLOCK).toBe(constants.O_NONBLOCK);
    expect(flagsOf(writer.fd) & constants.O_DIRECT).toBe(packet ? constants.O_DIRECT : 0);
  }
});

test('PIPE-005 BIND-004: bad options are refused before the call, and no descriptor is consumed', () => {
  const before = pipeEnds();
  for (const packet of [0, 1, 'true', null, {}]) {
    expect(codeNow(() => createPipe({ packet: packet as boolean }))).toBe('ERR_INVALID_ARG_TYPE');
  }
  for (const options of [null, 5, 'packet', [], true]) {
    expect(codeNow(() => createPipe(options as object))).toBe('ERR_INVALID_ARG_TYPE');
  }
  expect(pipeEnds()).toBe(before);
});

test('PIPE-033: a pipe has no position: pread and pwrite are ESPIPE', () => {
  const { reader, writer } = opened();
  expect(codeNow(() => readSync(reader.fd, Buffer.alloc(1), 0, 1, 5))).toBe('ESPIPE');
  expect(codeNow(() => writeSync(writer.fd, Buffer.alloc(1), 0, 1, 5))).toBe('ESPIPE');
  writer.writeSync('abc');
  reader.readSync();
  expect([positionOf(reader.fd), positionOf(writer.fd)]).toEqual([0, 0]);
});

test('PIPE-039: both ends are the same FIFO to fstat and /proc', () => {
  const { reader, writer } = opened();
  const [one, other] = [fstatSync(reader.fd), fstatSync(writer.fd)];
  expect([one.isFIFO(), other.isFIFO()]).toEqual([true, true]);
  expect(one.ino).toBe(other.ino);
  for (const { fd } of [reader, writer]) {
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(`pipe:[${one.ino}]`);
  }
});

test('close() closes both ends, in either order and again; so does disposal', () => {
  const before = pipeEnds();
  const pipe = createPipe();
  expect(pipeEnds()).toBe(before + 2);
  pipe.reader.close();
  pipe.close();
  pipe.close();
  expect([pipe.reader.closed, pipe.writer.closed]).toEqual([true, true]);
  {
    using other = createPipe();
    expect(other.reader.closed).toBe(false);
  }
  expect(pipeEnds()).toBe(before);
});

test('release() gives each end away, open and blocking', async () => {
  const { reader, writer } = opened();
  const fds = [reader.release(), writer.release()];
  onTestFinished(() => fds.forEach((fd) => closeSync(fd)));
  for (const fd of fds) expect(flagsOf(fd) & constants.O_NONBLOCK).toBe(0);
  writeSync(fds[1]!, 'given away');
  expect(readSync(fds[0]!, Buffer.alloc(64))).toBe(10);
  expect(codeNow(() => reader.release())).toBe('ERR_CLOSED');
  expect(await codeOf(() => reader.read())).toBe('ERR_CLOSED');
});

test('0 is a descriptor: a pipe that gets the numbers 0 and 1 works as any other', async () => {
  const scene = `
    import { closeSync, writeSync } from 'node:fs';
    import { createPipe } from '@octoipc/pipe';
    closeSync(0);
    const { reader, writer } = createPipe();
    await writer.write('through zero');
    const text = String(await reader.read());
    writeSync(1, JSON.stringify([reader.fd, text, reader.closed]));
    reader.close();
    writeSync(1, JSON.stringify(reader.closed));
    writer.close();`;
  const { stdout, stderr } = await Peer.start(
    process.execPath,
    ['--input-type=module', '-e', scene],
    {
      cwd: import.meta.dirname,
    },
  ).ended;
  expect({ stdout, stderr }).toEqual({ stdout: '[0,"through zero",false]true', stderr: '' });
});

test('PIPE-038: closing again never closes a number that was given to another', () => {
  const pipe = createPipe();
  const numbers = [pipe.reader.fd, pipe.writer.fd];
  pipe.close();
  const files = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  onTestFinished(() => files.forEach((fd) => closeSync(fd)));
  expect(files.toSorted()).toEqual(numbers.toSorted());
  pipe.close();
  pipe.reader.close();
  pipe.writer[Symbol.dispose]();
  for (const fd of files) expect(fstatSync(fd).isCharacterDevice()).toBe(true);
});
