import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { PipeWriter } from '@octoipc/pipe';
import { pipeline as pipelineOf, popen } from '@octoipc/popen';
import { expect, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { isPending } from '../../pipe/test/opened.js';
import { folder, lineOf, started } from './started.js';

const MIB = 1024 * 1024;

test("POPEN-001: popen('r') reads the output exactly, and the status is 0", async () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
  const program = started(['perl', '-e', 'print pack("C*", map { $_ % 256 } 0..69999)']);
  expect((await program.bytes()).equals(bytes)).toBe(true);
  expect(await program.close()).toMatchObject({ code: 0, signal: null, ok: true, timedOut: false });
});

test("POPEN-002: popen('w') gives the program exactly the bytes, and then the end of file", async () => {
  const program = started('test "$(od -An -c | tr -d " \\n")" = "ab\\\\0c\\\\n"', 'w');
  await program.write('ab\0');
  await program.write('c\n');
  expect(await program.close()).toMatchObject({ code: 0 });
});

test('POPEN-003: popen() refuses a mode that is none', () => {
  for (const mode of ['', 'rw', 'x', 're', 'R']) {
    expect(() => popen('true', mode as 'r')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  }
  expect(() => popen('true', 1 as never)).toThrow(TypeError);
});

test('write() and text() reject with EBADF where the mode has no such pipe', async () => {
  const reads = started('true', 'r');
  const writes = started('true', 'w');
  expect(reads.stdin).toBeNull();
  expect(writes.stdout).toBeNull();
  expect(reads.stderr).toBeNull();
  expect(await codeOf(() => reads.write('x'))).toBe('EBADF');
  expect(await codeOf(() => writes.text())).toBe('EBADF');
  expect(await codeOf(() => writes.lines().next())).toBe('EBADF');
});

test('lines(), json() and iteration give what the program says', async () => {
  const lines = [];
  for await (const line of started('printf "one\\ntwo\\r\\nthree"').lines()) lines.push(line);
  expect(lines).toEqual(['one', 'two', 'three']);
  expect(await started(['echo', '{"a": [1, 2]}']).json()).toEqual({ a: [1, 2] });
  let length = 0;
  for await (const chunk of started(['head', '-c', '200000', '/dev/zero'])) length += chunk.length;
  expect(length).toBe(200_000);
});

test('POPEN-010: 64 MiB flow in each direction at once, and stderr beside them', async () => {
  const data = Buffer.alloc(64 * MIB, 'all of it. ');
  const program = started(['tee', '/dev/stderr'], 'r+', { stderr: 'pipe' });
  let errors = 0;
  const [output] = await Promise.all([
    program.bytes(),
    program.end(data),
    (async () => {
      for await (const chunk of program.stderr!) errors += chunk.length;
    })(),
  ]);
  expect(output.equals(data)).toBe(true);
  expect(errors).toBe(data.length);
});

test('POPEN-011: stderr that nobody reads holds nothing up, whatever of stdout is read', async () => {
  const noisy = 'head -c 3000000 /dev/zero >&2; echo done';
  for (const read of [
    (program: ReturnType<typeof started>) => program.text(),
    async ({ stdout }: ReturnType<typeof started>) => String(await stdout!.readAll()),
  ]) {
    const program = started(noisy, 'r', { stderr: 'pipe' });
    expect(await read(program)).toBe('done\n');
  }
  const closed = started(noisy, 'r', { stderr: 'pipe' });
  expect((await closed.exited.then(() => 'ended', String)) && (await closed.close()).signal).toBe(
    null,
  );
}, 10_000);

test('POPEN-011: stderr that is read late is whole, or says that it is not', async () => {
  const few = started('head -c 300000 /dev/zero >&2; echo done', 'r', { stderr: 'pipe' });
  expect(await few.text()).toBe('done\n');
  expect((await few.stderr!.readAll()).length).toBe(300_000);
  expect(await few.close()).toMatchObject({ ok: true });
  const many = started('head -c 3000000 /dev/zero >&2; echo done', 'r', { stderr: 'pipe' });
  expect(await many.text()).toBe('done\n');
  expect(await codeOf(() => many.stderr!.read())).toBe('ERR_TRUNCATED');
  const rest = await many.stderr!.readAll();
  expect(rest.length).toBeGreaterThan(900_000);
  expect(rest.length).toBeLessThanOrEqual(MIB);
});

test('POPEN-011: a reader of stderr gets what was read ahead in order, piece by piece', async () => {
  const program = started('for i in 1 2 3 4 5; do echo $i >&2; done; echo done', 'r', {
    stderr: 'pipe',
  });
  await program.text();
  const { stderr } = program;
  const memory = new Uint8Array(3);
  expect(stderr!.available).toBe(10);
  expect(String(stderr!.tryRead({ maxBytes: 1 }))).toBe('1');
  const piece = String(stderr!.readSync({ into: memory }));
  expect(piece).toMatch(/^\n(2\n)?$/);
  expect(stderr!.ended).toBe(false);
  expect(piece + String(await stderr!.readAll())).toBe('\n2\n3\n4\n5\n');
  expect(stderr!.ended).toBe(true);
  stderr!.close();
  expect(await codeOf(() => stderr!.read())).toBe('ERR_CLOSED');
});

test('text() and close() at once, and a read that waits when close() is called, lose nothing', async () => {
  const program = started('sleep 0.05; head -c 200000 /dev/zero; exit 3');
  const [text, status] = await Promise.all([program.text(), program.close()]);
  expect([text.length, status.code]).toEqual([200_000, 3]);
  const other = started('sleep 0.05; echo out; echo err >&2; exit 4', 'r', { stderr: 'pipe' });
  const reads = [other.stdout!.readAll(), other.stderr!.readAll()];
  expect(await other.close()).toMatchObject({ code: 4 });
  expect((await Promise.all(reads)).map(String)).toEqual(['out\n', 'err\n']);
  // What waits to be written goes in before the end.
  const third = started('test "$(wc -c)" -eq 1000000', 'w');
  void third.write(Buffer.alloc(1_000_000));
  expect(await third.close()).toMatchObject({ ok: true });
});

test("stderr: 'ignore' and 'stdout' go where they say", async () => {
  const command = 'echo out; echo err >&2';
  expect(await started(command, 'r', { stderr: 'ignore' }).text()).toBe('out\n');
  expect(await started(command, 'r', { stderr: 'stdout' }).text()).toBe('out\nerr\n');
});

test('POPEN-036: stdout and stderr on the same pipe keep their order', async () => {
  const command = 'i=0; while [ $i -lt 300 ]; do echo $i; echo $i >&2; i=$((i+1)); done';
  const both = await started(command, 'r', { stderr: 'stdout' }).text();
  const wanted = Array.from({ length: 300 }, (_, i) => `${i}\n${i}\n`).join('');
  expect(both).toBe(wanted);
});

test('POPEN-012: exited resolves at once, text() when a grandchild has let go of the pipe', async () => {
  const file = join(folder(), 'pid');
  const program = started(`sleep 60 2>&1 & echo $! > ${file}`);
  const text = program.text();
  expect(await program.exited).toMatchObject({ code: 0 });
  expect(await isPending(text)).toBe(true);
  expect(program.handle.closed).toBe(true);
  process.kill(Number(await lineOf(file)));
  expect(await text).toBe('');
});

test('POPEN-013: write() rejects with EPIPE when the program does not read any more', async () => {
  const program = started('exec 0<&-; echo closed; sleep 60', 'r+');
  await program.lines().next();
  expect(await codeOf(() => program.write('x'))).toBe('EPIPE');
  const gone = started(['true'], 'w');
  await gone.exited;
  expect(await codeOf(() => gone.write('x'))).toBe('EPIPE');
  expect(await gone.close()).toMatchObject({ ok: true });
  // A pending write, too.
  const short = started('head -c 1 > /dev/null', 'w');
  expect(await codeOf(() => short.write(Buffer.alloc(8 * MIB)))).toBe('EPIPE');
});

test('POPEN-014: a program whose reader has left is ended by SIGPIPE', async () => {
  const yes = started(['yes']);
  await yes.stdout!.read();
  yes.stdout!.close();
  expect(await yes.exited).toMatchObject({ code: null, signal: 'SIGPIPE' });
  // close() leaves, as pclose(3) does.
  const other = started(['yes']);
  for await (const line of other.lines()) {
    expect(line).toBe('y');
    break;
  }
  expect(await other.close()).toMatchObject({ signal: 'SIGPIPE' });
});

test('POPEN-035: stdin and stdout are pipes that /dev/stdin and /dev/stdout open', async () => {
  const program = started('readlink /proc/self/fd/0 > /dev/stdout; cat /dev/stdin', 'r+');
  await program.end('through\n');
  expect(await program.text()).toMatch(/^pipe:\[\d+\]\nthrough\n$/);
});

test('POPEN-027: over maxBuffer the program is ended, and the error has the exact beginning', async () => {
  const program = started(['yes', 'abc'], 'r', { maxBuffer: 1001 });
  const error = await failure(() => program.bytes());
  expect(error).toMatchObject({
    name: 'IpcError',
    code: 'EMSGSIZE',
    hint: expect.stringContaining('maxBuffer') as string,
  });
  expect(error.message).toContain('1001');
  expect((error as unknown as { stdout: Buffer }).stdout.toString()).toBe(
    'abc\n'.repeat(251).slice(0, 1001),
  );
  expect((await program.exited).signal).toMatch(/SIGTERM|SIGPIPE/);
  const exact = started(['head', '-c', '1000', '/dev/zero'], 'r', { maxBuffer: 1000 });
  expect((await exact.bytes()).length).toBe(1000);
});

test('check: true rejects with the code, the status and the end of stderr', async () => {
  const command = 'seq 100000 >&2; echo "no such thing" >&2; exit 3';
  for (const wait of [
    (program: ReturnType<typeof started>) => program.text(),
    (program: ReturnType<typeof started>) => program.close(),
    async (program: ReturnType<typeof started>) => {
      for await (const _ of program.lines());
    },
    async (program: ReturnType<typeof started>) => {
      for await (const _ of program);
    },
  ]) {
    const error = await failure(() => wait(started(command, 'r', { check: true })));
    expect(error).toMatchObject({ code: 'ERR_PROCESS_FAILED', status: { code: 3 } });
    expect(error.message).toContain('no such thing');
    expect((error as unknown as { stderr: string }).stderr).toContain('99999\n100000\nno such');
  }
  const signalled = await failure(() => started('kill -9 $$', 'r', { check: true }).close());
  expect(signalled).toMatchObject({ status: { code: null, signal: 'SIGKILL' } });
  expect(await started('echo fine', 'r', { check: true }).text()).toBe('fine\n');
});

test('toDuplex() flows in both directions, and ends with the program', async () => {
  const duplex = started(['tr', 'a-z', 'A-Z'], 'r+').toDuplex();
  duplex.end('hello');
  const chunks = [];
  for await (const chunk of duplex) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toBe('HELLO');
  const failing = started('echo some; exit 1', 'r', { check: true }).toDuplex();
  const error = await failure(async () => {
    for await (const _ of failing);
  });
  expect(error.code).toBe('ERR_PROCESS_FAILED');
});

test('backpressure: a program is held up by a reader that does not read', async () => {
  const program = started('head -c 1000000 /dev/zero; echo done >&2', 'r', { stderr: 'pipe' });
  const done = program.stderr!.read();
  expect(await isPending(done)).toBe(true);
  let length = 0;
  for await (const chunk of program.stdout!) length += chunk.length;
  expect(length).toBe(1_000_000);
  expect(String(await done)).toBe('done\n');
});

async function* zeros(size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += MIB) yield Buffer.alloc(MIB);
}

test.each([
  [
    'write()',
    async (stdin: PipeWriter, chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await stdin.write(chunk);
      stdin.close();
    },
  ],
  [
    'toWritable()',
    (stdin: PipeWriter, chunks: AsyncIterable<Buffer>) => pipeline(chunks, stdin.toWritable()),
  ],
])(
  '1 GiB into stdin by %s leaves memory flat',
  async (_, feed) => {
    const program = started(['wc', '-c'], 'r+');
    const before = process.memoryUsage.rss();
    let external = 0;
    let resident = 0;
    async function* measured(): AsyncGenerator<Buffer> {
      for await (const chunk of zeros(1024 * MIB)) {
        external = Math.max(external, process.memoryUsage().external);
        resident = Math.max(resident, process.memoryUsage.rss() - before);
        yield chunk;
      }
    }
    await feed(program.stdin!, measured());
    expect(Number(await program.text())).toBe(1024 * MIB);
    expect(external).toBeLessThan(128 * MIB);
    expect(resident).toBeLessThan(256 * MIB);
  },
  60_000,
);

test('POPEN-037: 1 GiB through a program leaves memory flat', async () => {
  const program = started(['head', '-c', String(1024 * MIB), '/dev/zero']);
  let length = 0;
  let most = 0;
  for await (const chunk of program.stdout!) {
    length += chunk.length;
    if (length % (16 * MIB) < chunk.length) most = Math.max(most, process.memoryUsage().external);
  }
  expect(length).toBe(1024 * MIB);
  expect(most).toBeLessThan(128 * MIB);
});

test('what readAll() gave back of stderr comes before what was read ahead, and neither is released', async () => {
  const program = started('for i in 1 2 3 4 5; do echo $i >&2; sleep 0.01; done; echo done', 'r', {
    stderr: 'pipe',
  });
  await program.text();
  const { stderr } = program;
  expect(codeNow(() => stderr!.release())).toBe('EBUSY');
  expect(await codeOf(() => stderr!.readAll({ maxBytes: 3 }))).toBe('EMSGSIZE');
  expect(codeNow(() => stderr!.release())).toBe('EBUSY');
  expect(String(await stderr!.readAll())).toBe('1\n2\n3\n4\n5\n');
});

test('json() rejects with EBADMSG where the output is no JSON', async () => {
  const wrong = { name: 'IpcError', code: 'EBADMSG', cause: expect.any(SyntaxError) as Error };
  expect(await failure(() => started('echo nonsense').json())).toMatchObject(wrong);
  const line = pipelineOf(['echo nonsense', 'cat']);
  expect(await failure(() => line.json())).toMatchObject(wrong);
});
