import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { command, home, octoipc, start, type Ended } from './command.js';
import { folder, ipcmk, uniqueName } from './objects.js';

/** Runs the command with this input. */
async function octoipcWith(input: Buffer | string, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [command, ...args], { cwd: home });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('latin1')));
  const [status] = (await once(child, 'close')) as [number];
  return { status, stdout, stderr };
}

/** Removes an object that a test has made, if it did not. */
function gone(url: string): string {
  onTestFinished(() => void spawnSync(process.execPath, [command, 'rm', url]));
  return url;
}

/** A System V key that nobody else has. */
function uniqueKey(): string {
  return `sysv-mq:0x${randomBytes(4).toString('hex').replace(/^0/, '1')}`;
}

/** A line of text with what plays with lines and terminals: umlauts, tabs, nothing at all. */
const LINES = ['one', '', 'zwölf', 'a\tb', 'last'];
const TEXT = `${LINES.join('\n')}\n`;

describe('octoipc send and recv', () => {
  it.each([
    ['mq', () => gone(`mq:/${uniqueName()}`)],
    ['sysv-mq', () => gone(uniqueKey())],
    ['shm', () => gone(`shm:/${uniqueName()}`)],
  ])('carry lines by %s: first sent, then received', async (_, url) => {
    const to = url();
    const sent = await octoipcWith(TEXT, 'send', '--create', to);
    expect(sent).toMatchObject({ status: 0, stdout: '' });
    expect(sent.stderr).toMatch(/^octoipc send: 5 messages, 16 B, .*messages\/s/);
    const { status, stdout, stderr } = await octoipc('recv', '--count', '5', to);
    expect({ status, stdout }).toEqual({ status: 0, stdout: TEXT });
    expect(stderr).toMatch(/^octoipc recv: 5 messages, 16 B, /);
  });

  it.each([
    ['fifo', () => `fifo:${folder()}/x`],
    ['unix', () => `unix:${folder()}/x`],
    ['unix+seqpacket', () => `unix+seqpacket:@${uniqueName()}`],
  ])('carry lines by %s, until the sender has left', async (_, url) => {
    const to = url();
    const receiver = octoipc('recv', '--create', to);
    // An empty packet would be the end of packets.
    const text = to.includes('seqpacket') ? TEXT.replace('\n\n', '\n') : TEXT;
    expect(await octoipcWith(text, 'send', '--create', to)).toMatchObject({ status: 0 });
    expect(await receiver).toMatchObject({ status: 0, stdout: text });
  });

  it('say with status 1 that a message has no place in a mechanism', async () => {
    const url = `unix+seqpacket:@${uniqueName()}`;
    const receiver = octoipc('recv', '--create', url);
    const sent = await octoipcWith('first\n\n', 'send', url);
    expect(sent).toMatchObject({ status: 1, stderr: expect.stringContaining('EINVAL') as string });
    expect(await receiver).toMatchObject({ status: 0, stdout: 'first\n' });
  });

  it('carry frames, whatever bytes they have', async () => {
    const url = gone(`shm:/${uniqueName()}`);
    const frames = [Buffer.from('a\nb'), Buffer.alloc(0), randomBytes(3000)].map((message) => {
      const header = Buffer.alloc(4);
      header.writeUInt32LE(message.length);
      return Buffer.concat([header, message]);
    });
    const input = Buffer.concat(frames);
    expect((await octoipcWith(input, 'send', '--frames', '--create', url)).status).toBe(0);
    const { stdout } = await octoipcWith('', 'recv', '--frames', '--count', '3', url);
    expect(Buffer.from(stdout, 'latin1').equals(input)).toBe(true);
    const cut = await octoipcWith(input.subarray(0, -1), 'send', '--frames', url);
    expect(cut).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ERR_TRUNCATED/) as string,
    });
    await octoipc('recv', '--count', '2', url);
  });

  it('carry a whole file', async () => {
    const path = folder();
    const content = randomBytes(300_001);
    writeFileSync(join(path, 'sent'), content);
    const url = `unix:${path}/x`;
    const receiver = octoipc('recv', '--create', '--file', join(path, 'received'), url);
    expect((await octoipc('send', '--file', join(path, 'sent'), url)).status).toBe(0);
    expect(await receiver).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(join(path, 'received')).equals(content)).toBe(true);
  });

  it('tell that a file is not whole, where its sender has left before', async () => {
    const path = folder();
    const into = join(path, 'received');
    const url = `fifo:${path}/x`;
    const receiver = octoipc('recv', '--create', '--file', into, url);
    expect((await octoipcWith('a part\n', 'send', '--create', url)).status).toBe(0);
    expect(await receiver).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('ERR_TRUNCATED') as string,
    });
    expect(readFileSync(into, 'utf8')).toBe('a part');
  });

  it('refuse --file where no empty message could end it', async () => {
    const url = `unix+seqpacket:@${uniqueName()}`;
    const into = join(folder(), 'received');
    for (const verb of ['send', 'recv']) {
      expect(await octoipc(verb, '--file', into, url)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('unix+seqpacket') as string,
      });
    }
    expect(existsSync(into)).toBe(false);
  });

  it('neither make nor take anything where a file cannot be had', async () => {
    const [url, path] = [gone(uniqueKey()), folder()];
    for (const [file, code] of [
      [join(path, 'none'), 'ENOENT'],
      [path, 'EISDIR'],
    ] as const) {
      const sent = await octoipc('send', '--create', '--file', file, url);
      expect(sent).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining(code) as string,
      });
    }
    expect((await octoipc('inspect', url)).stderr).toContain('ENOENT');
    await octoipcWith('kept\n', 'send', '--create', url);
    const lost = await octoipc('recv', '--file', join(path, 'no', 'folder'), '--count', '1', url);
    expect(lost).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^octoipc recv: ENOENT/) as string,
    });
    expect(lost.stderr).not.toMatch(/^ +at /m);
    // What is there stays, unless there is a channel to receive from.
    writeFileSync(join(path, 'old'), 'old, and longer');
    await octoipc('recv', '--file', join(path, 'old'), uniqueKey());
    expect(readFileSync(join(path, 'old'), 'utf8')).toBe('old, and longer');
    await octoipc('recv', '--file', join(path, 'old'), '--count', '1', url);
    expect(readFileSync(join(path, 'old'), 'utf8')).toBe('kept');
  });

  it('print JSON and nothing else with --json', async () => {
    const url = gone(`mq:/${uniqueName()}`);
    const sent = await octoipcWith(Buffer.from([0x61, 10, 0xff, 10]), 'send', '--json', '-c', url);
    expect(sent.stderr).toBe('');
    expect(JSON.parse(sent.stdout)).toMatchObject({ messages: 2, bytes: 2 });
    const received = await octoipc('recv', '--json', '--count', '2', url);
    expect(received.stdout).toBe('{"message":"a"}\n{"base64":"/w=="}\n');
    expect(JSON.parse(received.stderr)).toMatchObject({ messages: 2, bytes: 2 });
  });

  it('send the highest priority first, and receive types of System V', async () => {
    const url = gone(`mq:/${uniqueName()}`);
    await octoipcWith('low\n', 'send', '-qc', url);
    await octoipcWith('high\n', 'send', '-q', '--priority', '9', url);
    expect(await octoipc('recv', '-q', '-n', '2', url)).toMatchObject({ stdout: 'high\nlow\n' });

    const id = `sysv-mq:id=${ipcmk('-Q')}`;
    await octoipcWith('first\n', 'send', '-q', '--type', '5', id);
    await octoipcWith('second\n', 'send', '-q', '--type', '7', id);
    const seventh = await octoipc('recv', '-q', '-n', '1', '--type', '7', id);
    expect(seventh).toMatchObject({ status: 0, stdout: 'second\n', stderr: '' });
  });

  it('send a file of a type in parts that System V takes', async () => {
    const id = `sysv-mq:id=${ipcmk('-Q')}`;
    const file = join(folder(), 'long');
    const content = randomBytes(12_000);
    writeFileSync(file, content);
    const sent = await octoipc('send', '-q', '--type', '5', '--file', file, id);
    expect(sent).toMatchObject({ status: 0, stderr: '' });
    const copy = join(folder(), 'copy');
    expect(await octoipc('recv', '-q', '--type', '5', '--file', copy, id)).toMatchObject({
      status: 0,
    });
    expect(readFileSync(copy).equals(content)).toBe(true);
  });

  it('take no more than --count, and leave the rest', async () => {
    const url = gone(`mq:/${uniqueName()}`);
    const sent = await octoipcWith(TEXT, 'send', '--create', '--count', '3', '--rate', '1000', url);
    expect(sent.stderr).toMatch(/^octoipc send: 3 messages/);
    await octoipc('recv', '--count', '2', url);
    const listed = await octoipc('ls', '--json', '--kind', 'mq', url);
    // Without the mqueue file system a queue that nobody has open cannot be listed.
    for (const queue of JSON.parse(listed.stdout) as object[])
      expect(queue).toMatchObject({ messages: 1 });
    expect((await octoipc('recv', '--count', '1', url)).stdout).toBe('zwölf\n');
  });

  it('wait no longer than --timeout, and end with status 1', async () => {
    const url = gone(`mq:/${uniqueName()}`);
    const { status, stdout, stderr } = await octoipc('recv', '--create', '--timeout', '50', url);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^octoipc recv: ETIMEDOUT: /m);
    expect(
      await octoipcWith('x\n', 'send', '-t', '50ms', `fifo:${folder()}/x`, '--create'),
    ).toMatchObject({ status: 1, stderr: expect.stringContaining('ETIMEDOUT') as string });
  });

  it('end with 130 on SIGINT, and tell what was received', async () => {
    const url = gone(`mq:/${uniqueName()}`);
    await octoipcWith('x\n', 'send', '-qc', url);
    const receiving = start('recv', url);
    let stderr = '';
    receiving.stderr!.on('data', (chunk) => (stderr += String(chunk)));
    await once(receiving.stdout!, 'data');
    receiving.kill('SIGINT');
    await once(receiving, 'close');
    expect(receiving.exitCode).toBe(130);
    expect(stderr).toMatch(/^octoipc recv: 1 message, 1 B/);
  });

  it('end quietly when nobody reads any more', () => {
    const script = `yes | "$0" "$1" send -q popen:cat >/dev/null & sender=$!
      "$0" "$1" recv 'popen:yes | "$NODE" "$COMMAND" send -q --count 5000 pipe:1' | head -n 1
      echo "\${PIPESTATUS[0]}"; kill $sender; wait $sender 2>/dev/null; true`;
    const { stdout } = spawnSync('bash', ['-c', script, process.execPath, command], {
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, COMMAND: command },
    });
    expect(stdout).toBe('y\n0\n');
  });

  it.each([
    ['exit 3', /^octoipc send: ERR_PROCESS_FAILED: the program has ended with status 3/m],
    ['kill -9 $$', /^octoipc send: ERR_PROCESS_FAILED: the program has ended with SIGKILL/m],
  ])('say with status 1 that a program has failed that took all: %s', async (end, said) => {
    const { status, stderr } = await octoipcWith('x\ny\n', 'send', `popen:cat >/dev/null; ${end}`);
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(/^octoipc send: 2 messages/m);
    expect(status).toBe(1);
  });

  it('wait for a program no longer than --timeout, and leave it alone then', async () => {
    const path = join(folder(), 'end');
    const url = `popen:exec >/dev/null 2>&1; cat; until [ -e '${path}' ]; do sleep 0.05; done; echo over >'${path}'`;
    const { status, stderr } = await octoipcWith('x\n', 'send', '--timeout', '50ms', url);
    expect(stderr).toMatch(/^octoipc send: ETIMEDOUT/m);
    expect(status).toBe(1);
    writeFileSync(path, '');
    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 60_000 }).toBe('over\n');
  });

  it('say with status 1 what makes a channel that is missing', async () => {
    for (const url of [
      `mq:/${uniqueName()}`,
      uniqueKey(),
      `shm:/${uniqueName()}`,
      'fifo:/no/such',
    ]) {
      const { status, stderr } = await octoipc('recv', url);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^octoipc recv: ENOENT: .*\(--create makes it\)$/m);
    }
  });

  it.each([
    ['an unknown scheme', ['recv', 'pigeon:/x']],
    ['no scheme', ['recv', '/x']],
    ['no URL', ['send']],
    ['two forms at once', ['recv', '--frames', '--lines', 'mq:/x']],
    ['a priority on a pipe', ['send', '--priority', '1', 'pipe:0']],
    ['a type on a queue of POSIX', ['recv', '--type', '1', 'mq:/x']],
    ['a count that is none', ['recv', '--count', '0', 'mq:/x']],
    ['a time that is none', ['recv', '--timeout', 'soon', 'mq:/x']],
    ['a mode that is none', ['recv', '--mode', '999', 'mq:/x']],
    ['a rate that is none', ['send', '--rate', '-1', 'mq:/x']],
  ])('end with status 2 and a message when given %s', async (_, args) => {
    const { status, stdout, stderr } = await octoipcWith('', ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/\S/);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
