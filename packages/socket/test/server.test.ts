import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  closeSync,
  writeFileSync,
} from 'node:fs';

import { connect, listen } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, descriptors, server } from './opened.js';
import { folder, freshName, freshPath } from './place.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });
const script = new URL('./fixtures/peer.mjs', import.meta.url);
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

test.each([0o600, 0o660, 0o777, 0o000])(
  'listen({ mode: %o }) gives the path exactly that, whatever the umask',
  async (mode) => {
    const path = freshPath();
    await server({ path }, { mode });
    expect(modeOf(path)).toBe(mode);
  },
);

test('listen() gives the path no more than its mode, at no time', async () => {
  const trace = freshPath();
  const args = ['-f', '-qq', '-o', trace, '-e', 'trace=fchmod,bind,chmod,listen'];
  const mode = '{"mode":438}';
  const node = [process.execPath, script.pathname, 'listen-once', `unix:${freshPath()}`, mode];
  expect(await Peer.start('strace', [...args, ...node]).ended).toMatchObject({ code: 0 });
  const calls = [...readFileSync(trace, 'latin1').matchAll(/(fchmod|bind|chmod|listen)\(/g)];
  expect(calls.map((call) => call[1]).join(' ')).toMatch(/fchmod bind( chmod)? listen$/);
});

test('SOCK-005: listen() displaces neither a live server, nor a file, nor what is stale without reclaim', async () => {
  const path = freshPath();
  const live = await server({ path });
  for (const reclaim of [false, true]) {
    await expect(listen({ path }, { reclaim })).rejects.toThrow(failing('EADDRINUSE'));
  }
  closing(await connect({ path }));
  closing(await live.accept());
  const file = freshPath();
  writeFileSync(file, 'precious');
  await expect(listen({ path: file }, { reclaim: true })).rejects.toThrow(failing('EADDRINUSE'));
  expect(readFileSync(file, 'utf8')).toBe('precious');
  const stale = freshPath();
  const fd = posix.socket(posix.AF_UNIX, posix.SOCK_STREAM);
  posix.bind(fd, { path: stale });
  // Bound and not yet listening: it refuses connections as a stale one does, and is none.
  await expect(listen({ path: stale }, { reclaim: true })).rejects.toThrow(failing('EADDRINUSE'));
  posix.close(fd);
  await expect(listen({ path: stale })).rejects.toThrow(failing('EADDRINUSE'));
  await server({ path: stale }, { reclaim: true });
});

test('SOCK-072: listen({ reclaim }) takes over after kill -9 of the server, and not before', async () => {
  const path = freshPath();
  const first = Peer.node(script, ['listen', `unix:${path}`, '{"reclaim":true}']);
  expect(await first.line()).toBe('"listening"');
  await expect(listen({ path }, { reclaim: true })).rejects.toThrow(failing('EADDRINUSE'));
  first.child.kill('SIGKILL');
  await first.ended;
  await expect(connect({ path })).rejects.toThrow(failing('ECONNREFUSED'));
  const second = await server({ path }, { reclaim: true });
  second.close();
  expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, false]);
});

test('listen({ reclaim }) has one winner when several start over a stale path', async () => {
  const path = freshPath();
  const fd = posix.socket(posix.AF_UNIX, posix.SOCK_STREAM);
  posix.bind(fd, { path });
  posix.close(fd);
  const racers = Array.from({ length: 6 }, () => Peer.node(script, ['race', `unix:${path}`]));
  const said = await Promise.all(racers.map((racer) => racer.line()));
  expect(said.filter((line) => line === '"won"')).toHaveLength(1);
  expect(said.filter((line) => line === '"EADDRINUSE"')).toHaveLength(5);
});

test('Server.close() removes its own socket file only', async () => {
  const path = freshPath();
  const first = await server({ path });
  renameSync(path, `${path}.old`);
  const second = await server({ path });
  first.close();
  expect(existsSync(path)).toBe(true);
  second.close();
  expect(existsSync(path)).toBe(false);
  unlinkSync(`${path}.old`);
});

test('SOCK-071: a server goes on when its path is renamed', async () => {
  const path = freshPath();
  const renamed = await server({ path });
  renameSync(path, `${path}.new`);
  await expect(connect({ path })).rejects.toThrow(failing('ENOENT'));
  closing(await connect({ path: `${path}.new` }));
  closing(await renamed.accept());
  unlinkSync(`${path}.new`);
});

test('SOCK-008 SOCK-009: listen() and connect() refuse a path over 107 bytes with ENAMETOOLONG', async () => {
  for (const length of [108, 120, 200]) {
    const path = `${folder}/`.padEnd(length, 'x');
    await expect(listen({ path })).rejects.toThrow(failing('ENAMETOOLONG'));
    await expect(connect({ path })).rejects.toThrow(failing('ENAMETOOLONG'));
  }
});

test('SOCK-010: { viaDirectory } reaches a path of any length', async () => {
  const deep = `${folder}/${'d'.repeat(120)}/${'e'.repeat(120)}`;
  mkdirSync(deep, { recursive: true });
  const before = descriptors();
  const address = { path: `${deep}/socket`, viaDirectory: true };
  const long = await listen(address, { mode: 0o640 });
  expect(modeOf(address.path)).toBe(0o640);
  const client = await connect(address);
  const connection = await long.accept();
  for (const each of [client, connection, long]) each.close();
  expect(existsSync(address.path)).toBe(false);
  expect(descriptors().length).toBeLessThanOrEqual(before.length + 2);
});

test('SOCK-063 SOCK-064: peer is who connected, and who listens', async () => {
  const path = freshPath();
  const here = await server({ path });
  const other = Peer.node(script, ['connect', `unix:${path}`]);
  const connection = closing(await here.accept());
  const { peer } = connection;
  expect(peer).toEqual({ pid: other.pid, uid: process.getuid!(), gid: process.getgid!() });
  expect(Number(await other.line())).toBe(other.pid);
  const there = freshPath();
  const listener = Peer.node(script, ['listen', `unix:${there}`]);
  await listener.line();
  expect(closing(await connect({ path: there })).peer?.pid).toBe(listener.pid);
});

test('SOCK-066: peerProcess() is the process itself, ESRCH once it has ended, never another one', async () => {
  const path = freshPath();
  const here = await server({ path });
  const other = Peer.node(script, ['connect', `unix:${path}`]);
  const connection = closing(await here.accept());
  const handle = closing(connection.peerProcess());
  expect([handle.pid, handle.alive]).toEqual([other.pid, true]);
  const exited = handle.exited({ timeout: 20_000 });
  other.child.kill('SIGKILL');
  await exited;
  await other.ended;
  expect(handle.alive).toBe(false);
  expect(() => connection.peerProcess()).toThrow(failing('ESRCH'));
});

test('listen({ reclaim }) takes over the path of a server that is gone, while its connections live on', async () => {
  const path = freshPath();
  const gone = await listen({ path }, { reclaim: true });
  const client = closing(await connect({ path }));
  const served = closing(await gone.accept());
  const waiting = closing(await connect({ path }));
  closeSync(gone.release());
  expect(existsSync(path)).toBe(true);
  const next = await server({ path }, { reclaim: true });
  await expect(waiting.readAll()).rejects.toThrow(failing('ECONNRESET'));
  await client.send('to the old one');
  expect(String(await served.receive())).toBe('to the old one');
  const other = closing(await connect({ path }));
  closing(await next.accept());
  expect(other.closed).toBe(false);
});

test('SOCK-026: accept() at EMFILE waits, without spinning, and goes on afterwards', async () => {
  const child = Peer.node(new URL('./fixtures/exhausted.mjs', import.meta.url));
  const { accepted, warned, busy } = await child.report<{
    accepted: boolean;
    warned: number;
    busy: number;
  }>();
  expect(accepted).toBe(true);
  expect(warned).toBe(1);
  expect(busy).toBeLessThan(0.5);
  expect(await child.ended).toMatchObject({ code: 0 });
});

test('Server ends its iterator and rejects who waits when it is closed', async () => {
  const closed = await server({ abstract: freshName() });
  const waiting = [closed.accept(), closed.accept()];
  const looping = (async () => {
    for await (const connection of closed) connection.close();
    return 'over';
  })();
  closed.close();
  for (const each of waiting) await expect(each).rejects.toThrow(failing('ERR_CLOSED'));
  expect(await looping).toBe('over');
  expect(() => closed.tryAccept()).toThrow(failing('ERR_CLOSED'));
});

test('SOCK-022 SOCK-024: connect() waits while the backlog is full, first come first served', async () => {
  const address = { abstract: freshName() };
  const slow = await server(address, { backlog: 0 });
  const clients = Array.from({ length: 5 }, () => connect(address, { timeout: 30_000 }));
  for (let i = 0; i < 5; i++) closing(await slow.accept());
  for (const client of await Promise.all(clients)) client.close();
  const gone = new AbortController();
  closing(await connect(address));
  const waiting = connect(address, { signal: gone.signal });
  gone.abort(new Error('no more'));
  await expect(waiting).rejects.toThrow('no more');
});

test('SOCK-082: activationSockets() are those meant for this process, with their names', async () => {
  const file = new URL('./fixtures/activated.mjs', import.meta.url).pathname;
  const path = freshPath();
  const child = Peer.start('/bin/sh', [
    '-c',
    `exec systemd-socket-activate -l ${path} --fdname=web ${process.execPath} ${file}`,
  ]);
  await child.complains('Listening');
  const client = closing(await connect({ path }));
  await client.send('woken');
  expect(String(await client.receive())).toBe('web true woken');
  expect(await child.ended).toMatchObject({ code: 0 });
});
