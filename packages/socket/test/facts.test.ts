// What the kernel promises, told by Python on the same sockets, and what we make of it.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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

const NAMESPACE = `
import os, socket, sys
kind, place = sys.argv[1:]
server = socket.socket(socket.AF_UNIX)
server.bind('\\0' + place if kind == 'abstract' else place)
server.listen()
print('listening', flush=True)
if kind == 'path':
    server.accept()[0].sendall(b'from the other namespace')
sys.stdin.readline()
`;

const noNamespace = spawnSync('unshare', ['-n', 'python3', '-V']).status !== 0;
if (noNamespace) console.log('skipped: no network namespaces for this user, or no python3');

/** A server in another network namespace, which ends when told. */
async function elsewhere(kind: 'abstract' | 'path', place: string): Promise<Peer> {
  const peer = Peer.start('unshare', ['-n', 'python3', '-c', NAMESPACE, kind, place]);
  expect(await peer.line()).toBe('listening');
  return peer;
}

test.skipIf(noNamespace)(
  'SOCK-015: connect() to the abstract name of a server of another network namespace is ECONNREFUSED',
  async () => {
    const name = freshName();
    const other = await elsewhere('abstract', name);
    await expect(connect({ abstract: name })).rejects.toThrow(failing('ECONNREFUSED'));
    other.tell('done');
    expect(await other.ended).toMatchObject({ code: 0 });
  },
);

test.skipIf(noNamespace)(
  'SOCK-015: connect() to the path of a server of another network namespace reaches it',
  async () => {
    const path = freshPath();
    const other = await elsewhere('path', path);
    const connection = closing(await connect({ path }));
    expect(String(await connection.readAll())).toBe('from the other namespace');
    other.tell('done');
    expect(await other.ended).toMatchObject({ code: 0 });
  },
);

test('SOCK-057: sendFds() of more descriptors on their way than RLIMIT_NOFILE is ETOOMANYREFS for a user without privileges, and goes on once they were taken', async (context) => {
  const script = fileURLToPath(new URL('./fixtures/in-flight.mjs', import.meta.url));
  // A user whom no other test is: the kernel counts by user.
  const user = 65_100 + (process.pid % 400);
  const as = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--inh-caps=-all'];
  const probe = [...as, process.execPath, '-e', `require('fs').readFileSync('${script}')`];
  context.skip(spawnSync('setpriv', probe).status !== 0, 'no other user can run Node here');
  context.skip(spawnSync('prlimit', ['--version']).error !== undefined, 'there is no prlimit');
  const limited = ['--nofile=500:500', 'setpriv', ...as, process.execPath, script];
  const report = await Peer.start('prlimit', limited).report();
  // Looked at before each message: 400 are not over the limit yet, 600 are.
  const refused = { sent: 3, code: 'ETOOMANYREFS', syscall: 'sendmsg' };
  expect(report).toEqual({ first: refused, taken: 600, again: refused });
});

test('SOCK-075: an urgent byte of a foreign peer (MSG_OOB) is no part of the stream, and ends none', async (context) => {
  const [left, right] = pair();
  const code = `
import socket, sys
peer = socket.socket(fileno=3)
peer.sendall(b'before ')
try:
    peer.send(b'!', socket.MSG_OOB)
except OSError as error:
    print('refused', error.errno, flush=True)
else:
    peer.sendall(b'after')
    peer.close()
    print('sent', flush=True)
`;
  const other = python(context, code, [right.fd]);
  right.close();
  const said = await other.line();
  context.skip(said.startsWith('refused'), 'this kernel was built without CONFIG_AF_UNIX_OOB');
  expect(said).toBe('sent');
  expect(String(await left.readAll())).toBe('before after');
  expect(await left.read()).toBe(null);
});
