// What the kernel keeps apart: namespaces, users and urgent bytes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { connect, Datagram } from '@octoipc/socket';
import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, pair } from './opened.js';
import { freshName, freshPath } from './place.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });
const noPython = spawnSync('python3', ['-V']).error !== undefined;

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

const noPids = spawnSync('unshare', ['--pid', '--fork', 'true']).status !== 0;
if (noPids) console.log('skipped: no pid namespaces for this user');

test.skipIf(noPids || noPython)(
  'peer, and peerProcess(), of somebody outside of the pid namespace have his user, and 0 for his pid',
  async () => {
    const name = freshName();
    const script = fileURLToPath(new URL('./fixtures/outsider.mjs', import.meta.url));
    const inside = Peer.start('unshare', ['--pid', '--fork', process.execPath, script, name]);
    expect(await inside.line()).toBe('listening');
    const connection = closing(await connect({ abstract: name }));
    const sender = closing(await Datagram.bind());
    await sender.send('who am I?', { abstract: `${name}-datagram` });
    const report = JSON.parse(await inside.line()) as { readonly running: unknown };
    const [pid, uid, gid] = [0, process.getuid!(), process.getgid!()];
    const peer = { pid, uid, gid };
    expect(report).toMatchObject({ asked: [{ pid, uid }], peer, sender: peer });
    // Before Linux 6.5 nobody can tell.
    expect([{ pid: expect.any(Number), alive: true }, 'ERR_UNSUPPORTED']).toContainEqual(
      report.running,
    );
    expect(await connection.read()).toBe(null);
    expect(await inside.ended).toMatchObject({ code: 0 });
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
  context.skip(noPython, 'there is no python3');
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
  const other = Peer.start('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'pipe', right.fd] });
  right.close();
  const said = await other.line();
  context.skip(said.startsWith('refused'), 'this kernel was built without CONFIG_AF_UNIX_OOB');
  expect(said).toBe('sent');
  expect(String(await left.readAll())).toBe('before after');
  expect(await left.read()).toBe(null);
});
