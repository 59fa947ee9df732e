// What each package is tried with where vitest does not run: another runtime, another processor, a tarball
// in an empty folder. `node use.mjs NAME` ends with status 0 after it has said what was seen; what the runtime lacks
// is told as a line that begins with "lacks:".
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const unique = `octoipc-use-${process.pid}`;
const lacking = [];

/** A binding that is not there, or does not load, is nothing that a runtime lacks. */
const isUnbound = ({ message }) => message.includes('native binding');

/** Runs a part; one that this runtime refuses by ERR_UNSUPPORTED is lacking, and no failure. */
async function part(name, action) {
  try {
    await action();
  } catch (error) {
    if (error?.code !== 'ERR_UNSUPPORTED' || isUnbound(error)) {
      throw new Error(`${name}: ${error?.message ?? error}`, { cause: error });
    }
    lacking.push(`${name}: ${error.message}`);
  }
}

const isTimeout = (error) => error.code === 'ETIMEDOUT';
const isAbort = (error) => error.name === 'AbortError';

const USES = {
  async core() {
    const { capabilities, reap } = await import('@octoipc/core');
    assert.equal(capabilities().platform, process.platform);
    assert.ok(Array.isArray(reap({ dryRun: true })));
  },

  async pipe() {
    const { createPipe, spawnWithPipes, splice } = await import('@octoipc/pipe');
    await part('waiting', async () => {
      const { reader, writer } = createPipe();
      const pending = reader.read();
      await writer.write('hello');
      assert.equal(String(await pending), 'hello');
      await assert.rejects(reader.read({ timeout: 20 }), isTimeout);
      const controller = new AbortController();
      const aborted = reader.read({ signal: controller.signal });
      controller.abort();
      await assert.rejects(aborted, isAbort);
      writer.writeSync('again');
      assert.equal(String(reader.readSync()), 'again');
      writer.close();
      assert.equal(await reader.read(), null);
      reader.close();
    });
    await part('a megabyte', async () => {
      const { reader, writer } = createPipe();
      const sent = Buffer.alloc(1 << 20, 'x');
      const writing = writer.write(sent).then(() => writer.close());
      assert.ok((await reader.readAll()).equals(sent));
      await writing;
      reader.close();
    });
    await part('splice', async () => {
      const from = createPipe();
      const to = createPipe();
      await from.writer.write('spliced');
      assert.equal(await splice(from.reader, to.writer, { length: 7 }), 7);
      assert.equal(String(await to.reader.read()), 'spliced');
      from.close();
      to.close();
    });
    await part('a child', async () => {
      const { child, pipes } = spawnWithPipes('sort', ['-n'], { pipes: { 0: 'read', 1: 'write' } });
      await pipes[0].write('10\n9\n');
      pipes[0].close();
      assert.equal(String(await pipes[1].readAll()), '9\n10\n');
      pipes[1].close();
      if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    });
  },

  async fifo() {
    const { mkfifo, openReader, openWriter, unlink } = await import('@octoipc/fifo');
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-use-'));
    try {
      const path = join(folder, 'f');
      mkfifo(path);
      const opening = openWriter(path);
      const reader = await openReader(path);
      const writer = await opening;
      const pending = reader.read();
      await writer.write('through a name');
      assert.equal(String(await pending), 'through a name');
      writer.close();
      assert.equal(await reader.read(), null);
      reader.close();
      await assert.rejects(openWriter(path, { timeout: 20 }), isTimeout);
      unlink(path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  async mq() {
    const { PosixQueue, SysvQueue, receiveAny } = await import('@octoipc/mq');
    await part('POSIX', async () => {
      const queue = PosixQueue.open(`/${unique}`, { create: true, temporary: true });
      try {
        const pending = queue.receive();
        await queue.send('urgent', { priority: 7 });
        const { data, priority } = await pending;
        assert.deepEqual([String(data), priority], ['urgent', 7]);
        await assert.rejects(queue.receive({ timeout: 20 }), isTimeout);
      } finally {
        queue.close();
      }
    });
    await part('System V', async () => {
      const queue = SysvQueue.open('private', { create: true, temporary: true });
      try {
        const pending = queue.receive({ type: 3 });
        await queue.send('other', { type: 2 });
        await queue.send('mine', { type: 3 });
        assert.equal(String((await pending).data), 'mine');
        assert.equal(String((await receiveAny([queue])).data), 'other');
        await assert.rejects(queue.receive({ timeout: 20 }), isTimeout);
      } finally {
        queue.close();
      }
    });
  },

  async sem() {
    const { Mutex, PosixSemaphore, SysvSemaphoreSet } = await import('@octoipc/sem');
    await part('POSIX', async () => {
      const semaphore = PosixSemaphore.open(`/${unique}`, {
        create: true,
        temporary: true,
        value: 1,
      });
      try {
        const permit = await semaphore.acquire();
        const pending = semaphore.acquire();
        permit.release();
        (await pending).release();
        assert.equal(semaphore.value, 1);
      } finally {
        semaphore.close();
      }
    });
    await part('System V', async () => {
      const set = SysvSemaphoreSet.open('private', { create: true, temporary: true, count: 2 });
      try {
        const pending = set.operate([{ index: 0, delta: -1 }]);
        set.set(0, 1);
        await pending;
        assert.equal(set.get(0), 0);
        await assert.rejects(set.operate([{ index: 1, delta: -1 }], { timeout: 20 }), isTimeout);
      } finally {
        set.close();
      }
    });
    await part('a mutex', async () => {
      const mutex = Mutex.open(`/${unique}-m`, { create: true, temporary: true });
      try {
        const guard = await mutex.lock();
        assert.equal(mutex.tryLock(), null);
        const pending = mutex.lock();
        guard.unlock();
        (await pending).unlock();
      } finally {
        mutex.close();
      }
    });
  },

  async shm() {
    const { SharedMemory, ShmRing } = await import('@octoipc/shm');
    await part('POSIX', async () => {
      const memory = SharedMemory.open(`/${unique}`, { create: true, temporary: true, size: 4096 });
      const same = SharedMemory.open(`/${unique}`);
      try {
        memory.view(Int32Array)[5] = 42;
        assert.equal(same.view(Int32Array)[5], 42);
        const pending = same.wait(0, 0);
        // The waiter may not be there yet: it sees the word, or is woken.
        Atomics.store(memory.view(Int32Array), 0, 1);
        memory.notify(0);
        assert.ok(['ok', 'not-equal'].includes(await pending));
        await assert.rejects(same.wait(0, 1, { timeout: 20 }), isTimeout);
        if (!memory.shared)
          lacking.push('SharedArrayBuffer over foreign memory: an ArrayBuffer is given');
      } finally {
        same.close();
        memory.close();
      }
    });
    await part('a peer that truncates', async () => {
      const memory = SharedMemory.memfd({ size: 8192, sealable: true });
      memory.bytes[5000] = 1;
      memory.seal('shrink', 'grow');
      assert.ok(memory.seals.includes('shrink'));
      memory.close();
    });
    await part('a ring', async () => {
      const ring = ShmRing.create(`/${unique}-r`, { capacity: 4096, temporary: true });
      const consumer = ring.consumer();
      const producer = ring.producer();
      const pending = consumer.receive();
      await producer.send('round');
      assert.equal(String(await pending), 'round');
      ring.close();
    });
  },

  async signal() {
    const { exists, openProcess, rt, send, wait, watch } = await import('@octoipc/signal');
    assert.ok(exists(process.pid));
    await part('waiting for signals', async () => {
      // Where that is refused the signal would end this process.
      watch(['SIGUSR2']).close();
      const waiting = wait(['SIGUSR2'], { timeout: 5000 });
      send(process.pid, 'SIGUSR2');
      assert.equal((await waiting).pid, process.pid);
    });
    await part('values', async () => {
      const watcher = watch([rt(3)]);
      for (const value of [1, 2, 3]) send(process.pid, rt(3), { value });
      const seen = [];
      for await (const { value } of watcher) {
        seen.push(value);
        if (seen.length === 3) break;
      }
      assert.deepEqual(seen, [1, 2, 3]);
      watcher.close();
    });
    await part('pidfds', async () => {
      const child = spawn('sleep', ['60'], { stdio: 'ignore' });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const handle = openProcess(child.pid);
      assert.ok(handle.alive);
      handle.send('SIGKILL');
      await exited;
      await handle.exited;
      assert.ok(!handle.alive);
      handle.close();
    });
  },

  async socket() {
    const { connect, listen, socketPair } = await import('@octoipc/socket');
    await part('a pair', async () => {
      const [left, right] = socketPair();
      const pending = right.read();
      await left.write('across');
      assert.equal(String(await pending), 'across');
      left.close();
      right.close();
    });
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-use-'));
    try {
      await part('a name', async () => {
        const address = `unix:${join(folder, 's')}`;
        const server = await listen(address);
        const accepting = server.accept();
        const client = await connect(address);
        const connection = await accepting;
        await client.write('hello');
        assert.equal(String(await connection.read()), 'hello');
        assert.equal(connection.peer.pid, process.pid);
        client.close();
        connection.close();
        server.close();
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  async popen() {
    const { pipeline, popen, popenSync } = await import('@octoipc/popen');
    await part('reading', async () => {
      assert.equal(await popen(['echo', 'hello'], 'r').text(), 'hello\n');
    });
    await part('writing', async () => {
      const child = popen(['cat'], 'r+');
      await child.write('there and back');
      child.end();
      assert.equal(await child.text(), 'there and back');
    });
    await part('a deadline', async () => {
      const child = popen('sleep 60', 'r', { timeout: 100 });
      assert.ok((await child.close()).timedOut);
    });
    await part('a pipeline', async () => {
      assert.equal(await pipeline([['printf', 'b\\na\\n'], ['sort']]).text(), 'a\nb\n');
    });
    await part('popenSync', () => {
      assert.equal(String(popenSync(['tr', 'a-z', 'A-Z'], { input: 'loud' }).stdout), 'LOUD');
    });
  },
};

const name = process.argv[2];
if (!(name in USES)) throw new Error(`no package ${name}`);
await USES[name]();
for (const what of lacking) console.log(`lacks: ${what}`);
console.log(`used ${name}`);
