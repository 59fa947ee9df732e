// What the kernel promises, told by Python on the same sockets, and what we make of it.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';

import { connect, Connection } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test, type TestContext } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, pair, server } from './opened.js';
import { folder, freshName, freshPath } from './place.js';

const { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } = posix;
const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });
type Place = { host: string; port: number };

/** A descriptor that goes with the test. */
function raw(fd: number): number {
  onTestFinished(() => {
    try {
      posix.close(fd);
    } catch {
      // The test has closed it.
    }
  });
  return fd;
}

/** A Python program that has descriptors as 3, 4, …, and says a line when told one. */
function python(context: TestContext, code: string, fds: readonly number[]): Peer {
  if (spawnSync('python3', ['-V']).error !== undefined) context.skip('there is no python3');
  return Peer.start('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'pipe', ...fds] });
}

/** Does something as a user who may do nothing; skips where we are not root. */
function asNobody(context: TestContext, what: () => void): void {
  context.skip(process.geteuid?.() !== 0, 'only root can become another user');
  process.seteuid!(65534);
  try {
    what();
  } finally {
    process.seteuid!(0);
  }
}

test('SOCK-035: poll(2) says POLLRDHUP when the peer shuts down writing, POLLHUP too when it closes; we see the end, then EPIPE', async (context) => {
  const [left, right] = pair();
  const code = `
import select, sys
for line in sys.stdin:
    poll = select.poll()
    poll.register(3, select.POLLIN | select.POLLRDHUP)
    events = dict(poll.poll(0)).get(3, 0)
    print(*[name for name in ('POLLIN', 'POLLRDHUP', 'POLLHUP') if events & getattr(select, name)], flush=True)
`;
  const other = python(context, code, [right.fd]);
  const look = (): Promise<string> => {
    other.tell('look');
    return other.line();
  };
  expect(await look()).toBe('');
  await left.end();
  expect(await look()).toBe('POLLIN POLLRDHUP');
  expect(await right.read()).toBe(null);
  await right.write('still');
  left.close();
  expect(await look()).toBe('POLLIN POLLRDHUP POLLHUP');
  await expect(right.write('x')).rejects.toThrow(failing('EPIPE'));
});

test('SOCK-074: a connection ends when the last process that has it does; a child that was not given it has it not', async () => {
  const listening = await server({ abstract: freshName() });
  for (const given of [false, true]) {
    const client = closing(await connect(listening.address as { abstract: string }));
    const served = await listening.accept();
    const child = Peer.start('cat', [], {
      stdio: ['pipe', 'pipe', 'pipe', ...(given ? [served.fd] : [])],
    });
    // It has been through execve(2) when it answers.
    child.tell('here');
    expect(await child.line()).toBe('here');
    served.close();
    const ends = given ? undefined : null;
    expect(client.tryRead()).toBe(ends);
    child.child.stdin!.end();
    expect(await client.read()).toBe(null);
  }
});

test('SOCK-078: available is what FIONREAD says; SIOCOUTQ of the sender goes back to 0 when it is read', async (context) => {
  const [left, right] = pair();
  const code = `
import fcntl, struct, sys, termios
for line in sys.stdin:
    print(*[struct.unpack('i', fcntl.ioctl(fd, what, bytes(4)))[0] > 0 for fd, what in ((3, termios.TIOCOUTQ), (4, termios.FIONREAD))], flush=True)
`;
  const other = python(context, code, [left.fd, right.fd]);
  const look = (): Promise<string> => {
    other.tell('look');
    return other.line();
  };
  expect([right.available, await look()]).toEqual([0, 'False False']);
  await left.write('12345');
  expect([right.available, await look()]).toEqual([5, 'True True']);
  await right.read({ maxBytes: 2 });
  expect(right.available).toBe(3);
  await right.read();
  expect([right.available, await look()]).toEqual([0, 'False False']);
});

/** Waits until a process sleeps in a system call. */
async function asleep(pid: number): Promise<void> {
  for (;;) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    if (/\) S /.test(stat)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits until a process is stopped. */
async function stopped(pid: number): Promise<void> {
  while (!/\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.each(['recv', 'recv-timeo', 'accept', 'connect', 'send'])(
  'SOCK-079 SOCK-083: %sSync() goes on after a signal that is caught, and after SIGSTOP and SIGCONT',
  async (what) => {
    const address = freshName();
    const script = new URL('./fixtures/blocked.mjs', import.meta.url);
    const listening = await server({ abstract: address }, { backlog: 0 });
    const full = what === 'connect' ? closing(await connect({ abstract: address })) : undefined;
    const child = Peer.node(script, [what, address]);
    const connection =
      what === 'connect' ? undefined : closing(await listening.accept({ timeout: 60_000 }));
    const where = await child.line();
    await asleep(child.pid);
    for (let i = 0; i < 3; i++) child.child.kill('SIGUSR2');
    child.child.kill('SIGSTOP');
    await stopped(child.pid);
    child.child.kill('SIGCONT');
    await asleep(child.pid);
    if (what.startsWith('recv')) await connection!.write('data');
    if (what === 'accept') closing(await connect({ abstract: where }));
    if (what === 'send') void connection!.readAll();
    if (what === 'connect') {
      closing(await listening.accept());
      closing(await listening.accept());
    }
    expect(await child.line()).toBe('done');
    full?.close();
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  },
  60_000,
);

test('SOCK-080: SO_RCVTIMEO is EAGAIN to who blocks in recv(2); ours takes its own timeout', async (context) => {
  const [left, right] = posix.socketpair(AF_UNIX, SOCK_STREAM).map(raw) as [number, number];
  const timeval = Buffer.alloc(16);
  timeval.writeBigInt64LE(20_000n, 8);
  posix.setsockopt(right, SOL_SOCKET, posix.SO_RCVTIMEO, timeval);
  expect(posix.getsockopt(right, SOL_SOCKET, posix.SO_RCVTIMEO, 16)).toEqual(timeval);
  const code = `
import errno, os, time
before = time.monotonic()
try:
    os.read(3, 1)
except OSError as error:
    print(errno.errorcode[error.errno], time.monotonic() - before >= 0.015)
`;
  const blocking = closing(Connection.fromFd(right));
  const other = python(context, code, [blocking.fd]);
  expect(await other.line()).toBe('EAGAIN True');
  expect(() => blocking.readSync({ timeout: 50 })).toThrow(failing('ETIMEDOUT'));
  posix.sendSync(left, 'x');
  expect(String(blocking.readSync())).toBe('x');
});

test('SOCK-067: SO_PEERGROUPS has the peer’s groups, and is ERANGE where there is no room for them', (context) => {
  context.skip(process.geteuid?.() !== 0, 'only root can choose its groups');
  const before = process.getgroups!();
  process.setgroups!([12_345, 54_321]);
  onTestFinished(() => process.setgroups!(before));
  const [left] = posix.socketpair(AF_UNIX, SOCK_STREAM).map(raw) as [number];
  const groups = posix.getsockopt(left, SOL_SOCKET, posix.SO_PEERGROUPS, 4096);
  const expected = [8, 12_345, 54_321];
  expect([groups.length, groups.readUInt32LE(0), groups.readUInt32LE(4)]).toEqual(expected);
  expect(() => posix.getsockopt(left, SOL_SOCKET, posix.SO_PEERGROUPS, 4)).toThrow(
    failing('ERANGE'),
  );
});

test('SOCK-069: who is not privileged cannot claim to be another process or user: EPERM', async (context) => {
  const [left, right] = posix.socketpair(AF_UNIX, SOCK_DGRAM).map(raw) as [number, number];
  posix.setsockopt(right, SOL_SOCKET, posix.SO_PASSCRED, true);
  const self = { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() };
  asNobody(context, () => {
    for (const false_ of [{ pid: 1 }, { uid: 12_345 }, { gid: 12_345 }]) {
      const credentials = { ...self, ...false_ };
      expect(() => posix.sendmsgSync(left, { data: 'x', credentials })).toThrow(failing('EPERM'));
    }
    posix.sendmsgSync(left, { data: 'x', credentials: self });
  });
  expect((await posix.recvmsg(right, { size: 1 })).credentials).toEqual(self);
});

test('SOCK-007: bind() in a directory that is not writable is EACCES, and leaves nothing', (context) => {
  const directory = freshPath();
  mkdirSync(directory, { mode: 0o755 });
  const path = `${directory}/s`;
  const fd = raw(posix.socket(AF_UNIX, SOCK_STREAM));
  asNobody(context, () => {
    expect(() => posix.bind(fd, { path })).toThrow(failing('EACCES'));
  });
  expect(existsSync(path)).toBe(false);
});

test('TCP-002: bind() to an address that is not ours is EADDRNOTAVAIL, to a port of the system’s EACCES', (context) => {
  const fd = raw(posix.socket(AF_INET, SOCK_STREAM));
  // TEST-NET-1 of RFC 5737, which nobody has: nothing is sent there.
  expect(() => posix.bind(fd, { host: '192.0.2.1', port: 0 })).toThrow(failing('EADDRNOTAVAIL'));
  const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
  context.skip(first < 2, 'this system has no privileged ports');
  asNobody(context, () => {
    expect(() => posix.bind(fd, { host: '127.0.0.1', port: first - 1 })).toThrow(failing('EACCES'));
  });
});

test('TCP-005: after a reset write() is ECONNRESET once at most, and then EPIPE', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0 });
  const client = closing(await connect(listening.address as Place));
  const served = closing(await listening.accept());
  const linger = new Uint8Array(Int32Array.of(1, 0).buffer);
  posix.setsockopt(served.fd, SOL_SOCKET, posix.SO_LINGER, linger);
  served.close();
  const outcomes: unknown[] = [];
  while (outcomes.at(-1) !== 'EPIPE') {
    outcomes.push(
      await client.write('x').then(
        () => 'taken',
        ({ code }: { code: string }) => code,
      ),
    );
  }
  expect(outcomes.filter((each) => each === 'ECONNRESET').length).toBeLessThanOrEqual(1);
  await expect(client.write('x')).rejects.toThrow(failing('EPIPE'));
});

test('TCP-006: beyond a full backlog connect() waits, and its timeout leaves no descriptor', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0 }, { backlog: 0 });
  const address = listening.address as Place;
  const connected: Connection[] = [];
  let outcome: unknown;
  while (outcome === undefined) {
    try {
      connected.push(closing(await connect(address, { timeout: 200 })));
    } catch (error) {
      outcome = error;
    }
  }
  expect(outcome).toEqual(failing('ETIMEDOUT'));
  expect(connected.length).toBeLessThan(5);
  const abort = new AbortController();
  const waiting = connect(address, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('SOCK-020 SOCK-014: the mode of a path keeps others out, EACCES; an abstract name has none', async (context) => {
  const path = freshPath();
  const abstract = freshName();
  const [forAll, listening] = [freshPath(), await server({ path }, { mode: 0o600 })];
  const open = [await server({ abstract }), await server({ path: forAll }, { mode: 0o666 })];
  // Others may look into the folder of the tests, so that the mode of the socket decides.
  chmodSync(folder, 0o711);
  onTestFinished(() => chmodSync(folder, 0o700));
  asNobody(context, () => {
    const connecting = (): number => raw(posix.socket(AF_UNIX, SOCK_STREAM));
    expect(() => posix.connectSync(connecting(), { path })).toThrow(failing('EACCES'));
    posix.connectSync(connecting(), { abstract });
    posix.connectSync(connecting(), { path: forAll });
  });
  expect(listening.tryAccept()).toBe(undefined);
  for (const each of open) closing(await each.accept());
});
