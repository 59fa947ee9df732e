import { constants, readlinkSync } from 'node:fs';
import { once } from 'node:events';

import { PipeReader, PipeWriter, spawnWithPipes } from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { CLOEXEC, descriptors, flagsOf, pipeEnds } from '../../core/test/proc.js';
import { opened } from './opened.js';

type Pipes = Record<number, 'read' | 'write'>;

function started<const P extends Pipes>(file: string, args: string[], pipes: P, options = {}) {
  const spawned = spawnWithPipes(file, args, { pipes, ...options });
  onTestFinished(() => {
    for (const end of Object.values(spawned.pipes) as PipeReader[]) end.close();
  });
  return { ...spawned, peer: new Peer(spawned.child) };
}

test('the child gets its ends under the numbers that were chosen, the parent the opposite ones', async () => {
  const { peer, pipes } = started('sh', ['-c', 'cat <&7 >&5'], { 7: 'read', 5: 'write' });
  expect(pipes[7]).toBeInstanceOf(PipeWriter);
  expect(pipes[5]).toBeInstanceOf(PipeReader);
  await pipes[7].write('through the child');
  pipes[7].close();
  expect(String(await pipes[5].readAll())).toBe('through the child');
  expect((await peer.ended).code).toBe(0);
});

test('PIPE-003: the child has its own ends and no other descriptor of ours', async () => {
  const linkOf = (fd: number) => readlinkSync(`/proc/self/fd/${fd}`);
  const other = linkOf(opened().reader.fd);
  const before = pipeEnds();
  const { peer, pipes } = started('cat', [], { 0: 'read', 1: 'write', 7: 'write' });
  expect(pipeEnds()).toBe(before + 3);
  const links = new Map(([0, 1, 7] as const).map((fd) => [linkOf(pipes[fd].fd), fd]));
  const theirs = [...descriptors(peer.pid)];
  // One end of each, under its number, and none of the pipe that is no business of the child.
  const own = theirs.filter(([, target]) => links.has(target));
  expect(own).toEqual([...links].map(([target, fd]) => [fd, target]));
  expect(theirs.map(([, target]) => target)).not.toContain(other);
  for (const [fd] of own) {
    const ours = pipes[fd as 0 | 1 | 7].fd;
    expect([flagsOf(fd, peer.pid) & CLOEXEC, flagsOf(ours) & CLOEXEC]).toEqual([0, CLOEXEC]);
  }
  // The end of file comes at once: nobody but the child holds an end of its.
  pipes[0].close();
  expect([await pipes[1].read(), await pipes[7].read()]).toEqual([null, null]);
});

test('PIPE-035: the child’s ends are blocking, though the parent’s are not', async () => {
  const { peer, pipes } = started('sh', ['-c', 'read _'], { 0: 'read', 1: 'write', 4: 'read' });
  for (const fd of [0, 1, 4]) expect(flagsOf(fd, peer.pid) & constants.O_NONBLOCK).toBe(0);
  for (const end of [pipes[0], pipes[1], pipes[4]]) {
    expect(flagsOf(end.fd) & constants.O_NONBLOCK).toBe(constants.O_NONBLOCK);
  }
});

test('PIPE-011: a child that writes when we have closed dies of SIGPIPE', async () => {
  const { peer, pipes } = started('yes', [], { 1: 'write' });
  expect(String(await pipes[1].read({ maxBytes: 4 }))).toBe('y\ny\n');
  pipes[1].close();
  expect(await peer.ended).toMatchObject({ code: null, signal: 'SIGPIPE' });
});

test('/dev/stdin and /dev/stdout can be opened in the child', async () => {
  const { peer, pipes } = started('sh', ['-c', 'cat /dev/stdin > /dev/stdout'], {
    0: 'read',
    1: 'write',
  });
  await pipes[0].write('real pipes');
  pipes[0].close();
  expect(String(await pipes[1].readAll())).toBe('real pipes');
  expect((await peer.ended).code).toBe(0);
});

test('PIPE-010: a grandchild that holds the write end keeps the end of file from coming', async () => {
  const script = 'sleep 60 & echo $!; exec 1>&-; wait';
  const { pipes } = started('sh', ['-c', script], { 1: 'write' });
  const pid = Number(String(await pipes[1].read()));
  const waiting = pipes[1].read();
  let ended = false;
  void waiting.then(() => (ended = true));
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  process.kill(pid, 'SIGKILL');
  expect(await waiting).toBe(null);
});

test('options of spawn are passed on: cwd, env, and stdio of the other numbers', async () => {
  const { peer, pipes } = started(
    'sh',
    ['-c', 'pwd >&4; echo $WORD >&4; echo error >&2'],
    { 4: 'write' },
    {
      cwd: '/',
      env: { ...process.env, WORD: 'from us' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  expect(String(await pipes[4].readAll())).toBe('/\nfrom us\n');
  expect((await peer.ended).stderr).toBe('error\n');
});

test('a program that cannot be started: error event, the pipes at their end, nothing left open', async () => {
  const before = pipeEnds();
  const { child, pipes } = spawnWithPipes('/does/not/exist', [], {
    pipes: { 3: 'read', 4: 'write' },
  });
  const [error] = (await once(child, 'error')) as [{ code: string }];
  expect(error.code).toBe('ENOENT');
  expect(await pipes[4].read()).toBe(null);
  expect(codeNow(() => pipes[3].tryWrite('x'))).toBe('EPIPE');
  pipes[3].close();
  pipes[4].close();
  expect(pipeEnds()).toBe(before);
});

test('a child that the system refuses to start at all throws an IpcError, and nothing is left open', async () => {
  const before = pipeEnds();
  // No user has this number, and nobody may become him.
  const error = await failure(() =>
    spawnWithPipes('true', [], { pipes: { 3: 'read', 4: 'write' }, uid: -1 }),
  );
  expect(error).toMatchObject({ name: 'IpcError', code: 'EINVAL', target: 'true' });
  expect(pipeEnds()).toEqual(before);
});

test('BIND-004 BIND-005: bad arguments are refused, and nothing is left open', async () => {
  const before = pipeEnds();
  const spawn = (file: unknown, args: unknown, options: unknown) => () =>
    spawnWithPipes(file as string, args as string[], options as { pipes: Pipes });
  const pipes = { 3: 'read' };
  expect(codeNow(spawn('a\0b', [], { pipes }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(spawn('', [], { pipes }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(spawn(5, [], { pipes }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeNow(spawn('true', ['a\0b'], { pipes }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(spawn('true', [], { pipes: { 3: 'both' } }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(spawn('true', [], { pipes: { 3: 0 } }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeNow(spawn('true', [], { pipes: { 256: 'read' } }))).toBe('ERR_OUT_OF_RANGE');
  for (const key of ['-1', '1.5', '03', 'stdin', '']) {
    const error = await failure(spawn('true', [], { pipes: { [key]: 'read' } }));
    expect(error.code).toMatch(/^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/);
  }
  for (const options of [undefined, null, {}, { pipes: null }, { pipes: 3 }]) {
    expect(codeNow(spawn('true', [], options))).toBe('ERR_INVALID_ARG_TYPE');
  }
  expect(codeNow(spawn('true', [], { pipes, stdio: 5 }))).toBe('ERR_INVALID_ARG_TYPE');
  // Node calculates with it, and throws a TypeError that has no code.
  expect(codeNow(spawn('true', [], { pipes, uid: 5n }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(pipeEnds()).toBe(before);
});
