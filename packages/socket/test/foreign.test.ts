import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { writeFileSync, closeSync, openSync, readFileSync } from 'node:fs';

import { connect, Datagram, type Address } from '@octoipc/socket';
import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, server } from './opened.js';
import { folder, freshName, freshPath } from './place.js';

const has = (tool: string): boolean => {
  const found = spawnSync('/bin/sh', ['-c', `command -v ${tool}`]).status === 0;
  if (!found) console.log(`skipped: ${tool} is not installed`);
  return found;
};

const program = `${folder}/peer`;

beforeAll(() => {
  const source = new URL('./fixtures/socket-peer.c', import.meta.url).pathname;
  const built = spawnSync('cc', ['-Wall', '-Werror', '-O1', '-o', program, source]);
  if (built.status !== 0) throw new Error(String(built.stderr));
});

async function echo(address: Address, type?: 'stream' | 'seqpacket') {
  const listening = await server(address, type === undefined ? {} : { type });
  const serving = listening.accept().then(async (connection) => {
    for await (const part of connection) await connection.write(part);
    connection.close();
  });
  return { listening, serving };
}

test.each(['stream', 'seqpacket'] as const)(
  'C: a %s client is echoed, and its descriptor arrives',
  async (type) => {
    const path = freshPath();
    const listening = await server({ path }, { type });
    const child = Peer.start(program, ['client', type, path]);
    const connection = closing(await listening.accept());
    const { data, fds } = (await connection.receiveFds({ maxFds: 1 }))!;
    expect(String(data)).toBe('from C');
    expect(readFileSync(fds[0]!, 'latin1')).toBe('peer\n');
    closeSync(fds[0]!);
    expect(connection.peer?.pid).toBe(child.pid);
    await connection.write('from JavaScript');
    expect(await child.ended).toMatchObject({ code: 0, stdout: 'from JavaScript\n' });
  },
);

test('C: its server is spoken to, and gets a descriptor', async () => {
  const path = freshPath();
  const child = Peer.start(program, ['server', 'stream', path]);
  expect(await child.line()).toBe('listening');
  const connection = closing(await connect({ path }));
  const file = freshPath();
  writeFileSync(file, 'inside');
  const fd = openSync(file, 'r');
  await connection.sendFds([fd], 'x');
  closeSync(fd);
  expect(String(await connection.readAll())).toBe('inside');
  expect(await child.ended).toMatchObject({ code: 0 });
});

test.skipIf(!has('python3'))('python3: send_fds and recv_fds, both ways', async () => {
  const path = freshPath();
  const listening = await server({ path });
  const script = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
r, w = os.pipe()
socket.send_fds(s, [b'pipe'], [r]); os.close(r)
data, fds, flags, address = socket.recv_fds(s, 100, 4)
os.write(w, data + str(len(fds)).encode())
`;
  const child = Peer.start('python3', ['-c', script, path]);
  const connection = closing(await listening.accept());
  const { data, fds } = (await connection.receiveFds({ maxFds: 1 }))!;
  expect(String(data)).toBe('pipe');
  await connection.sendFds([connection, connection], 'two: ');
  expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(fds[0]!, 'latin1')).toBe('two: 2');
  closeSync(fds[0]!);
});

test.skipIf(!has('python3'))(
  'python3: an abstract name with its exact bytes, and datagrams with replies',
  async () => {
    const receiver = closing(await Datagram.bind({ abstract: freshName() }));
    const script = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('\\0' + sys.argv[1] + '-reply\\0\\0')
s.sendto(b'ping', '\\0' + sys.argv[1]); print(s.recv(100).decode())
`;
    const { abstract } = receiver.local as { abstract: string };
    const child = Peer.start('python3', ['-c', script, abstract]);
    const { from, peer } = await receiver.receive();
    expect(from).toEqual({ abstract: `${abstract}-reply\0\0` });
    expect(peer?.pid).toBe(child.pid);
    await receiver.send('pong', from as { abstract: string });
    expect(await child.ended).toMatchObject({ code: 0, stdout: 'pong\n' });
  },
);

test.skipIf(!has('perl'))('perl: a client of ours, and a server for us', async () => {
  const path = freshPath();
  const { serving } = await echo({ path });
  const client = `use IO::Socket::UNIX; $s = IO::Socket::UNIX->new($ARGV[0]) or die; print $s "perl\\n"; $s->flush; print scalar <$s>;`;
  const child = Peer.start('perl', ['-e', client, path]);
  expect(await child.ended).toMatchObject({ code: 0, stdout: 'perl\n' });
  await serving;
  const there = freshPath();
  const script = `use IO::Socket::UNIX; $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die; $| = 1; print "listening\\n"; $c = $s->accept; print $c "got: ", scalar <$c>;`;
  const listener = Peer.start('perl', ['-e', script, there]);
  expect(await listener.line()).toBe('listening');
  const connection = closing(await connect({ path: there }));
  await connection.write('line\n');
  expect(String(await connection.readAll())).toBe('got: line\n');
});

test.skipIf(!has('socat'))(
  'socat: streams, packets, abstract names and TCP as a client',
  async () => {
    const through = async (address: string, input: string): Promise<void> => {
      const { stdout, code } = await Peer.start('/bin/sh', [
        '-c',
        `printf ${input} | socat -t 5 - ${address}`,
      ]).ended;
      expect([stdout, code]).toEqual([input, 0]);
    };
    const path = freshPath();
    const stream = await echo({ path });
    await through(`UNIX-CONNECT:${path}`, 'stream');
    await stream.serving;
    const abstract = freshName();
    const named = await echo({ abstract });
    await through(`ABSTRACT-CONNECT:${abstract}`, 'abstract');
    await named.serving;
    const packets = freshPath();
    const seqpacket = await echo({ path: packets }, 'seqpacket');
    await through(`UNIX-CONNECT:${packets},type=5`, 'packet');
    await seqpacket.serving;
    const tcp = await echo({ host: '127.0.0.1', port: 0 });
    await through(`TCP:127.0.0.1:${(tcp.listening.address as { port: number }).port}`, 'tcp');
    await tcp.serving;
  },
);

test.skipIf(!has('socat'))('socat: as a server', async () => {
  const path = freshPath();
  const child = Peer.start('socat', ['-d', '-d', `UNIX-LISTEN:${path}`, 'EXEC:cat']);
  await child.complains('listening');
  const connection = closing(await connect({ path }));
  await connection.write('through cat');
  await connection.end();
  expect(String(await connection.readAll())).toBe('through cat');
  await child.ended;
});

test.skipIf(!has('nc'))('netcat: a client of ours', async () => {
  const path = freshPath();
  const { serving } = await echo({ path });
  const child = Peer.start('/bin/sh', ['-c', `printf netcat | nc -N -U ${path}`]);
  expect(await child.ended).toMatchObject({ code: 0, stdout: 'netcat' });
  await serving;
});

test.skipIf(!has('ss'))('ss -x: sees our names and types', async () => {
  const path = freshPath();
  await server({ path }, { type: 'seqpacket', backlog: 7 });
  const { stdout } = spawnSync('ss', ['-xlH']);
  const line = String(stdout)
    .split('\n')
    .find((each) => each.includes(`${path} `));
  expect(line).toMatch(/^u_seq\s+LISTEN\s+0\s+7\s/);
});

test.skipIf(!has('curl'))('curl: asks http over our Unix socket', async () => {
  const path = freshPath();
  const listening = await server({ path });
  const http = createServer((incoming, response) => void incoming.pipe(response));
  onTestFinished(() => http.closeAllConnections());
  const child = Peer.start('curl', [
    '-s',
    '--unix-socket',
    path,
    '--data',
    'hello',
    'http://localhost/',
  ]);
  http.emit('connection', (await listening.accept()).toDuplex());
  expect(await child.ended).toMatchObject({ code: 0, stdout: 'hello' });
});
