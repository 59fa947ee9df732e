import { fstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { fifo, mq, popen, shm, socket } from 'octoipc';
import { expect, onTestFinished, test } from 'vitest';

import { folder, uniqueName } from './objects.js';

interface Handle {
  readonly fd: number;
  close(): unknown;
}

/** What the program is to do with its descriptor 3, in Python, and what it says then. */
interface Use {
  readonly handle: Handle;
  readonly python: string;
  readonly said: string;
  /** Whatever this side still has to do or to see. */
  readonly after?: () => unknown;
}

/** Closed when the test is over. */
function kept<T extends { close(): unknown } | { destroy(): unknown }>(handle: T): T {
  onTestFinished(() => void ('close' in handle ? handle.close() : handle.destroy()));
  return handle;
}

async function fifoEnds(): Promise<{ reader: fifo.FifoReader; writer: fifo.FifoWriter }> {
  const path = join(folder(), 'fifo');
  const reader = kept(await fifo.openReader(path, { create: true }));
  return { reader, writer: kept(await fifo.openWriter(path)) };
}

/** A stream of bytes, without the frames of messages; a packet as it is. */
function pair(type: 'stream' | 'seqpacket'): Use {
  const [ours, theirs] = socket.socketPair({ type });
  kept(ours);
  kept(theirs);
  const bytes = type === 'stream' ? kept(ours.toDuplex()) : undefined;
  if (bytes === undefined) ours.trySend('to it');
  else bytes.write('to it');
  const python = `s = socket.socket(fileno=3); print(s.type.name, s.recv(9)); s.send(b'answer')`;
  return {
    handle: theirs,
    python,
    said: `SOCK_${type.toUpperCase()} b'to it'`,
    after: async () => expect(String(await nextOf(bytes ?? ours))).toBe('answer'),
  };
}

async function nextOf(chunks: AsyncIterable<unknown>): Promise<unknown> {
  for await (const chunk of chunks) return chunk;
  return null;
}

const USES: Record<string, () => Use | Promise<Use>> = {
  async FifoReader() {
    const { reader, writer } = await fifoEnds();
    await writer.write('read it');
    return { handle: reader, python: 'print(os.read(3, 99))', said: "b'read it'" };
  },
  async FifoWriter() {
    const { reader, writer } = await fifoEnds();
    return {
      handle: writer,
      python: `print(os.write(3, b'written'))`,
      said: '7',
      after: async () => expect(String(await reader.read())).toBe('written'),
    };
  },
  'Connection, a stream': () => pair('stream'),
  'Connection, of packets': () => pair('seqpacket'),
  async Server() {
    const path = join(folder(), 'socket');
    const server = kept(await socket.listen(`unix:${path}`));
    kept(await socket.connect(`unix:${path}`));
    const python = 's = socket.socket(fileno=3); c, _ = s.accept(); print(c.getsockname())';
    return { handle: server, python, said: path };
  },
  async Datagram() {
    const path = join(folder(), 'socket');
    const datagram = kept(await socket.Datagram.bind(`unix:${path}`));
    const python = 's = socket.socket(fileno=3); s.sendto(b"x", s.getsockname()); print(s.recv(9))';
    return { handle: datagram, python, said: "b'x'" };
  },
  PosixQueue() {
    const name = `/${uniqueName()}`;
    const queue = kept(mq.PosixQueue.open(name, { create: true, exclusive: true }));
    onTestFinished(() => mq.PosixQueue.unlink(name));
    return {
      handle: queue,
      python: `print(ctypes.CDLL('librt.so.1').mq_send(3, b'sent', 4, 7))`,
      said: '0',
      after: () =>
        expect(queue.tryReceive()).toMatchObject({ data: Buffer.from('sent'), priority: 7 }),
    };
  },
  'SharedMemory, a memfd'() {
    const memory = kept(shm.SharedMemory.memfd({ size: 4096 }));
    const python = `m = mmap.mmap(3, 4096); m[0:4] = b'seen'; print(len(m))`;
    return {
      handle: memory,
      python,
      said: '4096',
      after: () =>
        expect(String(readFileSync(`/proc/self/fd/${memory.fd}`).subarray(0, 4))).toBe('seen'),
    };
  },
};

test.each(Object.keys(USES))('popen({ fds }) gives a program a %s to use', async (name) => {
  const { handle, python, said, after } = await USES[name]!();
  const before = readFileSync(`/proc/self/fdinfo/${handle.fd}`, 'latin1').match(/flags:.*/)?.[0];
  const { dev, ino } = fstatSync(handle.fd);
  const script = `
import ctypes, mmap, os, socket
print(os.fstat(3).st_dev, os.fstat(3).st_ino)
${python}`;
  const program = popen.popen(['python3', '-c', script], 'r', {
    fds: { 3: handle },
    stderr: 'pipe',
    check: true,
  });
  onTestFinished(() => program[Symbol.asyncDispose]());
  expect(await program.text()).toBe(`${dev} ${ino}\n${said}\n`);
  await after?.();
  // In blocking mode there or not: here the handle is as it was.
  const flags = readFileSync(`/proc/self/fdinfo/${handle.fd}`, 'latin1').match(/flags:.*/)?.[0];
  expect(flags).toBe(before);
});
