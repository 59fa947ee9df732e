import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pipeline, popenSync } from '@octoipc/popen';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { descriptors, until } from '../../core/test/proc.js';
import { folder, zombies } from './started.js';

const MIB = 1024 * 1024;

function joined(...args: Parameters<typeof pipeline>): ReturnType<typeof pipeline> {
  const line = pipeline(...args);
  onTestFinished(() => line[Symbol.asyncDispose]());
  return line;
}

test('pipeline() joins stages, with and without a shell', async () => {
  const line = joined([['printf', 'b\na\nb\n'], 'sort | uniq', ['tr', 'a-z', 'A-Z']]);
  expect(await line.text()).toBe('A\nB\n');
  expect(line.ok).toBe(true);
  expect(line.statuses.map((status) => status?.code)).toEqual([0, 0, 0]);
  expect(await joined([['echo', '[1]']]).json()).toEqual([1]);
});

test('POPEN-037: 1 GiB through a pipeline: the count is exact, and no byte passes through Node', async () => {
  const size = 1024 * MIB;
  const before = descriptors();
  const line = joined([['head', '-c', String(size), '/dev/zero'], ['cat'], ['wc', '-c']]);
  const between = [...descriptors()].filter(
    ([fd, target]) => target.startsWith('pipe:') && before.get(fd) !== target,
  );
  // Only the last one's stdout leads here.
  expect(between.map(([, target]) => target)).toEqual([
    readlinkSync(`/proc/self/fd/${line.stdout!.fd}`),
  ]);
  expect(Number(await line.text())).toBe(size);
}, 60_000);

test("pipeline(…, 'w') and 'r+' write to the first stage", async () => {
  const data = Buffer.alloc(8 * MIB, 'data');
  const both = joined([['cat'], ['cat']], 'r+');
  const [output] = await Promise.all([both.bytes(), both.end(data)]);
  expect(output.equals(data)).toBe(true);
  const write = joined(['cat', 'test "$(cat)" = data'], 'w');
  await write.write('data');
  expect(await write.close()).toMatchObject({ ok: true });
  expect(write.stdout).toBeNull();
  expect(joined(['true']).stdin).toBeNull();
});

test('POPEN-038: the statuses of all stages are there, as bash’s PIPESTATUS has them', async () => {
  const stages = ['exit 1', 'cat; exit 2', 'cat > /dev/null; kill -9 $$', 'cat'];
  const line = joined(stages);
  await line.close();
  expect(line.ok).toBe(false);
  expect(line.statuses.map((status) => status?.code)).toEqual([1, 2, null, 0]);
  expect(line.statuses[2]).toMatchObject({ signal: 'SIGKILL' });
  const quoted = stages.map((stage) => `sh -c '${stage}'`).join(' | ');
  const bash = popenSync(['bash', '-c', `${quoted}; echo "\${PIPESTATUS[@]}"`]);
  expect(String(bash.stdout)).toBe('1 2 137 0\n');
});

test('POPEN-038: with check a stage that fails rejects, with its own stderr', async () => {
  const stages = ['echo fine', 'cat; echo broken >&2; exit 3', 'cat; echo innocent >&2'];
  for (const wait of [
    (line: ReturnType<typeof joined>) => line.text(),
    (line: ReturnType<typeof joined>) => line.close(),
    async (line: ReturnType<typeof joined>) => {
      for await (const _ of line.lines());
    },
    async (line: ReturnType<typeof joined>) => {
      for await (const _ of line);
    },
  ]) {
    const error = await failure(() => wait(joined(stages, 'r', { check: true })));
    expect(error).toMatchObject({ code: 'ERR_PROCESS_FAILED', status: { code: 3 } });
    expect(error.message).toContain('broken');
    expect(error.message).not.toContain('innocent');
  }
});

test('POPEN-038: SIGPIPE of an early stage is a failure, unless allowed', async () => {
  const strict = joined([['yes'], ['head', '-n', '1']]);
  expect(await strict.text()).toBe('y\n');
  expect(strict.ok).toBe(false);
  expect(strict.statuses[0]).toMatchObject({ signal: 'SIGPIPE' });
  const options = { allowSigpipe: true, check: true };
  const lenient = joined([['yes'], ['head', '-n', '1']], 'r', options);
  expect(await lenient.text()).toBe('y\n');
  expect(lenient.ok).toBe(true);
  // Through a shell it is code 141.
  expect(await joined(['yes', 'head -n 1'], 'r', options).text()).toBe('y\n');
  // The last one has nobody but us.
  expect(await codeOf(() => joined(['true', 'kill -PIPE $$'], 'r', options).close())).toBe(
    'ERR_PROCESS_FAILED',
  );
});

test('a stage that cannot be started throws, and none of the others is left', async () => {
  const before = descriptors();
  expect(codeNow(() => pipeline([['sleep', '600'], ['sleep', '600'], ['/nonexistent']]))).toBe(
    'ENOENT',
  );
  await until(() => zombies().length === 0);
  expect([...descriptors().keys()].filter((fd) => !before.has(fd))).toEqual([]);
});

test('kill() ends every stage, close() waits for all, and is false after that', async () => {
  const line = joined(['sleep 600', 'sleep 600', 'sleep 600']);
  expect(line.kill()).toBe(true);
  const { ok, statuses, timedOut } = await line.close();
  expect({ ok, timedOut }).toEqual({ ok: false, timedOut: false });
  expect(statuses.map(({ signal }) => signal)).toEqual(['SIGTERM', 'SIGTERM', 'SIGTERM']);
  expect(line.kill()).toBe(false);
  expect(await line.exited).toMatchObject({ ok: false });
});

test('a pipeline of which a stage had no time, or was aborted, rejects, whatever its last one made of that', async () => {
  // The last one has ended well long before; what it has said is not the whole.
  const stages = ['sleep 600', 'echo begun'];
  const reason = new Error('enough');
  const abort = new AbortController();
  const aborted = failure(() => joined(stages, 'r', { signal: abort.signal }).text());
  const late = await failure(() => joined(stages, 'r', { timeout: 100 }).text());
  expect(late).toMatchObject({ code: 'ETIMEDOUT', status: { timedOut: true } });
  expect(String((late as unknown as { stdout: Buffer }).stdout)).toBe('begun\n');
  abort.abort(reason);
  expect(await aborted).toBe(reason);
  // This one ends when it sees that its reader has gone.
  const line = joined(['sleep 600', 'cat; exec 1>&-; sleep 600'], 'r', { timeout: 100 });
  const read = async (): Promise<void> => {
    for await (const _ of line.lines());
  };
  expect(await failure(read)).toMatchObject({ code: 'ETIMEDOUT' });
});

test('toDuplex() of a pipeline fails where a stage did, or had no time', async () => {
  for (const [options, code] of [
    [{ check: true }, 'ERR_PROCESS_FAILED'],
    [{ timeout: 100 }, 'ETIMEDOUT'],
  ] as const) {
    const stages = code === 'ETIMEDOUT' ? ['sleep 600', 'cat'] : ['exit 3', 'cat'];
    const duplex = joined(stages, 'r', options).toDuplex();
    const read = async (): Promise<void> => {
      for await (const _ of duplex);
    };
    expect(await failure(read)).toMatchObject({ code });
  }
});

test('more than maxBuffer of the last stage ends all of them', async () => {
  const line = joined(['sleep 600', ['yes']], 'r', { maxBuffer: 100 });
  const error = await failure(() => line.text());
  expect(error).toMatchObject({ code: 'EMSGSIZE' });
  expect(line.statuses).toMatchObject([
    { signal: 'SIGTERM', timedOut: false },
    { signal: 'SIGTERM', timedOut: false },
  ]);
});

test('toDuplex(), lines() and iteration of a pipeline', async () => {
  const duplex = joined([['cat'], ['tr', 'a-z', 'A-Z']], 'r+').toDuplex();
  duplex.end('hello');
  let text = '';
  for await (const chunk of duplex) text += String(chunk);
  expect(text).toBe('HELLO');
  const lines = [];
  for await (const line of joined(['echo a; echo b', 'cat']).lines()) lines.push(line);
  expect(lines).toEqual(['a', 'b']);
});

test('pipeline() refuses what are no commands', () => {
  expect(codeNow(() => pipeline([]))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => pipeline('true' as never))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeNow(() => pipeline([5] as never))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeNow(() => pipeline(['true'], 'x' as 'r'))).toBe('ERR_INVALID_ARG_VALUE');
});

test('fds 0 and 1 are for the ends of a pipeline, and never in place of what joins its stages', async () => {
  const path = join(folder(), 'out');
  writeFileSync(path, 'from a file');
  const source = openSync(path, 'r');
  const target = openSync(`${path}.new`, 'w');
  onTestFinished(() => [source, target].forEach((fd) => closeSync(fd)));
  const read = joined([['cat'], ['tr', 'a-z', 'A-Z']], 'r', { fds: { 0: source } });
  expect(await read.text()).toBe('FROM A FILE');
  const write = joined([['cat'], ['tr', 'a-z', 'A-Z'], ['cat']], 'w', { fds: { 1: target } });
  await write.end('to a file');
  expect(await write.close()).toMatchObject({ ok: true });
  expect(readFileSync(`${path}.new`, 'utf8')).toBe('TO A FILE');
  for (const [mode, fds] of [
    ['w', { 0: source }],
    ['r', { 1: target }],
    ['r+', { 0: source }],
  ] as const) {
    expect(codeNow(() => pipeline([['cat'], ['cat']], mode, { fds }))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  }
});
