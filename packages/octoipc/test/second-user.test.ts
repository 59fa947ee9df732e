import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { mkfifo } from '@octoipc/fifo';
import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { createPipe } from '@octoipc/pipe';
import { Barrier, Condition, Mutex, PosixSemaphore, RwLock, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory, ShmBroadcast, ShmRing, ShmValue, SysvSharedMemory } from '@octoipc/shm';
import { connect, Datagram, listen } from '@octoipc/socket';
import { describe, expect, onTestFinished, test } from 'vitest';

import { asUser } from '../../core/test/stranger.js';
import { home, octoipc } from './command.js';
import { uniqueName } from './objects.js';
import {
  ATTACKER,
  attacks,
  fixture,
  made,
  program,
  refusal,
  sticky,
  VICTIM,
} from './other-user.js';

const why = refusal();
if (why !== undefined) console.log(`second-user.test.ts is skipped: ${why}`);

/** The files in /dev/shm that something of this name has. */
const filesOf = (name: string): string[] =>
  readdirSync('/dev/shm').filter((file) => file.includes(name.slice(1)));

/** What another user tries with a file in /dev/shm, and how each attempt must end. */
const attacksOn = (file: string): Record<string, string> => {
  const path = `/dev/shm/${file}`;
  return attacks({
    open: ['open', path],
    write: ['write', path],
    cut: ['truncate', path],
    rename: ['rename', path],
    'open up': ['chmod', path],
    remove: ['unlink', path],
  });
};
const REFUSALS = {
  open: 'EACCES',
  write: 'EACCES',
  cut: 'EACCES',
  rename: 'EPERM',
  'open up': 'EPERM',
  remove: 'EPERM',
};

describe.skipIf(why !== undefined)(`another user (${why ?? 'created here'})`, () => {
  test('cannot open, change, rename or remove a FIFO with the default mode, in a sticky folder', () => {
    const path = join(sticky(), 'fifo');
    mkfifo(path);
    expect(
      attacks({
        read: ['open', path],
        write: ['write', path],
        remove: ['unlink', path],
        rename: ['rename', path],
        'open up': ['chmod', path],
      }),
    ).toEqual({
      read: 'EACCES',
      write: 'EACCES',
      remove: 'EPERM',
      rename: 'EPERM',
      'open up': 'EPERM',
    });
  });

  test('cannot reach a pipe or a memfd by /proc', () => {
    const pipe = createPipe();
    onTestFinished(() => pipe.close());
    const memory = made(SharedMemory.memfd({ size: 4096 }));
    const of = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;
    expect(
      attacks({
        reader: ['open', of(pipe.reader.fd)],
        memfd: ['write', of(memory.fd)],
        descriptors: ['list', `/proc/${process.pid}/fd`],
        memory: ['peek', process.pid],
      }),
    ).toEqual({ reader: 'EACCES', memfd: 'EACCES', descriptors: 'EACCES', memory: 'EPERM' });
  });

  test('cannot open or remove message queues with the default mode', () => {
    const name = `/${uniqueName()}`;
    made(PosixQueue.open(name, { create: true, exclusive: true }), () => PosixQueue.unlink(name));
    const queue = SysvQueue.open('private', { temporary: true });
    made(queue).trySend('secret');
    expect(
      attacks({
        open: ['mq_open', name],
        unlink: ['mq_unlink', name],
        receive: ['msgrcv', queue.id],
        remove: ['msgctl', queue.id],
      }),
    ).toEqual({ open: 'EACCES', unlink: 'EACCES', receive: 'EACCES', remove: 'EPERM' });
    expect(String(queue.tryReceive()?.data)).toBe('secret');
  });

  test('cannot open, change or remove semaphores and locks of any kind with the default mode', () => {
    const name = `/${uniqueName()}`;
    made(PosixSemaphore.open(name, { create: true }), () => PosixSemaphore.unlink(name));
    made(Mutex.open(name, { create: true }), () => Mutex.unlink(name));
    made(RwLock.open(name, { create: true }), () => RwLock.unlink(name));
    made(Condition.open(name, { create: true }), () => Condition.unlink(name));
    made(Barrier.open(name, { create: true, parties: 2 }), () => Barrier.unlink(name));
    const set = made(SysvSemaphoreSet.open('private', { temporary: true }));
    const files = filesOf(name);
    expect(files).toHaveLength(5);
    expect(
      attacks({
        open: ['sem_open', name],
        unlink: ['sem_unlink', name],
        operate: ['semop', set.id],
        remove: ['semctl', set.id],
      }),
    ).toEqual({ open: 'EACCES', unlink: 'EACCES', operate: 'EACCES', remove: 'EPERM' });
    for (const file of files) expect(attacksOn(file), file).toEqual(REFUSALS);
  });

  test('SHM-009 SHM-014: cannot open, cut or remove shared memory, rings, broadcasts and values with the default mode', () => {
    const memory = `/${uniqueName()}`;
    const ring = `/${uniqueName()}`;
    const broadcast = `/${uniqueName()}`;
    const value = `/${uniqueName()}`;
    made(SharedMemory.open(memory, { create: true, size: 64 }), () => SharedMemory.unlink(memory));
    made(ShmRing.create(ring, { capacity: 4096 }), () => ShmRing.unlink(ring));
    made(ShmBroadcast.create(broadcast, { capacity: 4096 }), () => ShmBroadcast.unlink(broadcast));
    made(ShmValue.create(value, { maxSize: 64 }), () => ShmValue.unlink(value));
    const segment = made(SysvSharedMemory.open('private', { temporary: true, size: 64 }));
    for (const name of [memory, ring, broadcast, value]) {
      expect(filesOf(name)).toEqual([name.slice(1)]);
      expect(attacksOn(name.slice(1)), name).toEqual(REFUSALS);
    }
    expect(
      attacks({
        unlink: ['shm_unlink', memory],
        attach: ['shmat', segment.id],
        remove: ['shmctl', segment.id],
      }),
    ).toEqual({
      unlink: expect.stringMatching(/^(EACCES|EPERM)$/) as string,
      attach: 'EACCES',
      remove: 'EPERM',
    });
  });

  test('SVSHM-016: cannot change a segment that it may write, nor look at one that it may not read', () => {
    const open = made(SysvSharedMemory.open('private', { temporary: true, size: 64, mode: 0o666 }));
    const secret = made(SysvSharedMemory.open('private', { temporary: true, size: 64 }));
    expect(program(ATTACKER, 'change', String(open.id))).toBe('EPERM');
    expect(program(ATTACKER, 'change', String(secret.id))).toBe('EACCES');
    expect([open.stat().mode, secret.stat().mode]).toEqual([0o666, 0o600]);
  });

  test('cannot signal a process, neither by pid nor by pidfd', () => {
    expect(
      attacks({
        probe: ['kill', process.pid],
        terminate: ['terminate', process.pid],
        queue: ['queue', process.pid],
        pidfd: ['pidfd', process.pid],
      }),
    ).toEqual({ probe: 'EPERM', terminate: 'EPERM', queue: 'EPERM', pidfd: 'EPERM' });
  });

  test('cannot connect or send to sockets with the default mode, nor take their place', async () => {
    const folder = sticky();
    const [stream, datagrams] = [join(folder, 'stream'), join(folder, 'datagrams')];
    made(await listen({ path: stream }));
    made(await Datagram.bind({ path: datagrams }));
    expect(
      attacks({
        connect: ['connect', stream],
        send: ['send', datagrams],
        remove: ['unlink', stream],
        rename: ['rename', datagrams],
      }),
    ).toEqual({ connect: 'EACCES', send: 'EACCES', remove: 'EPERM', rename: 'EPERM' });
  });

  test('is told apart on an abstract name, and cannot say that it is somebody else', async () => {
    const [name, open] = [uniqueName(), uniqueName()];
    const seen: (number | undefined)[] = [];
    const authorize = (peer: { readonly uid: number } | null): boolean => {
      seen.push(peer?.uid);
      return peer?.uid === process.getuid?.();
    };
    const server = made(await listen({ abstract: name }, { authorize }));
    const inbox = made(await Datagram.bind({ abstract: open }));
    const outcome = attacks({
      connect: ['connect abstract', name],
      spoof: ['spoof', open],
      send: ['send abstract', open],
    });
    expect(outcome).toEqual({ connect: 'done', spoof: 'EPERM', send: 'done' });
    const { data, peer } = await inbox.receive();
    expect([String(data), peer?.uid]).toEqual(['honest', ATTACKER]);
    const mine = made(await connect({ abstract: name }));
    made(await server.accept());
    expect(mine.peer?.uid).toBe(0);
    expect(seen).toEqual([ATTACKER, 0]);
  });

  test('cannot have the records of names, nor see or remove names of dead processes of others', async () => {
    const name = `/${uniqueName()}`;
    // Not as root, whose records every other test that reaps would take first.
    const [setpriv, ...line] = ['setpriv', ...asUser(VICTIM), process.execPath];
    const child = spawn(setpriv!, [...line, fixture('second-user.mjs'), 'hold', name], {
      cwd: home,
    });
    onTestFinished(() => rmSync(`/dev/shm${name}`, { force: true }));
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
    const records = `/dev/shm/octoipc-${VICTIM}`;
    onTestFinished(() => rmSync(records, { recursive: true, force: true }));
    expect(
      attacks({ list: ['list', records], take: ['rename', records], open: ['chmod', records] }),
    ).toEqual({ list: 'EACCES', take: 'EPERM', open: 'EPERM' });
    expect(program(ATTACKER, 'reap')).toEqual([]);
    expect(existsSync(`/dev/shm${name}`)).toBe(true);
    expect(program(VICTIM, 'reap')).toContainEqual(
      expect.objectContaining({ name, removed: true }),
    );
    expect(existsSync(`/dev/shm${name}`)).toBe(false);
  });

  test('has names that octoipc ls prints without what moves a cursor', async () => {
    const name = `${uniqueName()}\u001b]0;owned\u0007\u202e`;
    onTestFinished(() => rmSync(`/dev/shm/${name}`, { force: true }));
    expect(attacks({ file: ['plant file', `/dev/shm/${name}`] })).toEqual({ file: 'done' });
    const { stdout } = await octoipc('ls', '--kind', 'shm');
    const line = stdout.split('\n').find((each) => each.includes(name.slice(0, 20)))!;
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test('has commands that octoipc inspect and ls print without what moves a cursor', async () => {
    const name = uniqueName();
    const holding = [
      'import mmap, os, sys',
      String.raw`open('/proc/self/comm', 'w').write('\x1b]0;me\x07\x1b[2J')`,
      `os.setgroups([]); os.setgid(${ATTACKER}); os.setuid(${ATTACKER})`,
      "file = open('/dev/shm/' + sys.argv[1], 'w+b')",
      'file.truncate(4096)',
      'memory = mmap.mmap(file.fileno(), 4096)',
      "print('ready', flush=True)",
      'sys.stdin.read()',
    ].join('\n');
    const child = spawn('python3', ['-c', holding, name], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill();
      rmSync(`/dev/shm/${name}`, { force: true });
    });
    // A child that ends before has said nothing.
    expect(
      String(await new Promise((resolve) => child.stdout.on('data', resolve).on('end', resolve))),
    ).toMatch(/^ready/);
    const inspected = await octoipc('inspect', `shm:/${name}`);
    expect(inspected.stdout).toContain(String.raw`\x1b]0;me\x07\x1b[2J`);
    const listed = await octoipc('ls', '--kind', 'shm');
    expect(listed.stdout).toContain(name);
    for (const { stdout } of [inspected, listed]) {
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });
});
