import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect as tlsConnect, createServer } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';

import { connect, socketReceiver, socketSender, type Connection } from '@octoipc/socket';
import { expect, onTestFinished, test, vi } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, descriptors, server } from './opened.js';

const read = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url), 'utf8');
const key = read('key');
const cert = read('certificate');
const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });
type Port = { host: string; port: number };

test('connect({ tls }) and listen({ tls }) talk: bytes, messages, half-close, the end', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const connecting = connect({ ...(listening.address as Port), tls: { ca: cert } });
  const served = closing(await listening.accept({ timeout: 20_000 }));
  const client = closing(await connecting);
  expect(client.remote).toEqual(listening.address);
  expect(client.peer).toBe(null);
  const large = Buffer.alloc(1 << 20, 'large');
  const sending = client.send(large).then(() => client.end());
  expect((await served.receive())!.equals(large)).toBe(true);
  await sending;
  expect(await served.receive()).toBe(null);
  await served.send('answer');
  expect(String(await client.receive())).toBe('answer');
  served.close();
  expect(await client.receive()).toBe(null);
  expect(() => client.readSync()).toThrow(failing('ERR_UNSUPPORTED'));
});

test('connect({ tls }) refuses a certificate that nobody vouches for, and a server without TLS', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const accepting = listening.accept().catch((error: unknown) => error);
  await expect(connect({ ...(listening.address as Port), tls: true })).rejects.toThrow(
    failing('EPROTO'),
  );
  listening.close();
  const accepted = await accepting;
  if ('close' in (accepted as object)) (accepted as { close(): void }).close();
  const plain = await server({ host: '127.0.0.1', port: 0 });
  const connecting = connect({ ...(plain.address as Port), tls: true });
  const other = closing(await plain.accept());
  await other.write('this is no handshake');
  await expect(connecting).rejects.toThrow(failing('EPROTO'));
});

test.each([
  [
    'a certificate of nobody known',
    { key: read('stranger-key'), cert: read('stranger-certificate') },
  ],
  ['no certificate', {}],
])('listen({ tls: { requestCert } }) admits nobody with %s', async (_what, shown) => {
  const warnings: string[] = [];
  const warned = ({ name, message }: Error): void => void warnings.push(`${name} ${message}`);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const tls = { key, cert, ca: cert, requestCert: true };
  const listening = await server({ host: '127.0.0.1', port: 0, tls });
  const address = listening.address as Port;
  const accepting = listening.accept();
  const refused = await connect({ ...address, tls: { ca: cert, ...shown } }).then(
    (connection) => closing(connection).readAll(),
    (error: unknown) => error,
  );
  // Told at once or as the end of the connection: TLS 1.3 lets a client go on before he is judged.
  expect(refused instanceof Error || (refused as Buffer).length === 0).toBe(true);
  const admitted = closing(await connect({ ...address, tls: { ca: cert, key, cert } }));
  const served = closing(await accepting);
  await admitted.send('who holds the certificate');
  expect(String(await served.receive())).toBe('who holds the certificate');
  await vi.waitUntil(() => warnings.length > 0);
  expect(warnings).toEqual([expect.stringContaining('IpcHandshakeWarning')]);
});

test('listen({ tls: { requestCert, rejectUnauthorized: false } }) admits any certificate', async () => {
  const tls = { key, cert, ca: cert, requestCert: true, rejectUnauthorized: false };
  const listening = await server({ host: '127.0.0.1', port: 0, tls });
  const accepting = listening.accept();
  const shown = { key: read('stranger-key'), cert: read('stranger-certificate') };
  const options = { ca: cert, ...shown };
  const client = closing(await connect({ ...(listening.address as Port), tls: options }));
  const served = closing(await accepting);
  await client.send('anybody');
  expect(String(await served.receive())).toBe('anybody');
});

/** Somebody who speaks no TLS, and a promise that settles when he was dropped. */
async function stranger(address: Port, says?: string): Promise<{ dropped: Promise<unknown> }> {
  const connection: Connection = closing(await connect(address));
  if (says !== undefined) await connection.write(says);
  return { dropped: connection.readAll().catch((error: unknown) => error) };
}

test('accept() gives a client who has his handshake, whoever is silent before him', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const address = listening.address as Port;
  for (let i = 0; i < 3; i++) await stranger(address);
  for (let i = 0; i < 3; i++) {
    const accepting = listening.accept();
    const client = closing(await connect({ ...address, tls: { ca: cert } }));
    const served = closing(await accepting);
    await client.send('here');
    expect(String(await served.receive())).toBe('here');
  }
});

test('accept() outlives clients whose handshake fails; the first one is warned of', async () => {
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const address = listening.address as Port;
  const accepting = listening.accept();
  for (let i = 0; i < 3; i++) await (await stranger(address, 'this is no handshake\n')).dropped;
  const client = closing(await connect({ ...address, tls: { ca: cert } }));
  const served = closing(await accepting);
  await served.send('here');
  expect(String(await client.receive())).toBe('here');
  await vi.waitUntil(() => warnings.length > 0);
  expect(warnings).toEqual(['IpcHandshakeWarning']);
});

test('a client who is silent for handshakeTimeout is dropped, and at once when the server is closed', async () => {
  const tls = { key, cert, handshakeTimeout: 20 };
  const quick = await server({ host: '127.0.0.1', port: 0, tls });
  const accepting = quick.accept();
  await (
    await stranger(quick.address as Port)
  ).dropped;
  quick.close();
  await expect(accepting).rejects.toThrow(failing('ERR_CLOSED'));
  const patient = await server({
    host: '127.0.0.1',
    port: 0,
    tls: { ...tls, handshakeTimeout: 1e9 },
  });
  const waiting = patient.accept();
  const silent = await stranger(patient.address as Port);
  // Whoever was accepted after him shows that he was taken out of the backlog.
  const client = closing(await connect({ ...(patient.address as Port), tls: { ca: cert } }));
  closing(await waiting);
  patient.close();
  await silent.dropped;
  client.close();
  await expect(
    server({ host: '127.0.0.1', port: 0, tls: { ...tls, handshakeTimeout: -1 } }),
  ).rejects.toThrow(RangeError);
});

test.each([
  ['TCP', {}],
  ['TLS', { tls: { key, cert } }],
])('authorize() over %s is given no peer, and decides by the address', async (_what, tls) => {
  const seen: unknown[] = [];
  const picky = await server(
    { host: '127.0.0.1', port: 0, ...tls },
    {
      authorize(peer, { peer: same, remote }) {
        seen.push([peer, same, remote]);
        return false;
      },
    },
  );
  const { port } = picky.address as { port: number };
  const accepting = picky.accept().catch((error: unknown) => error);
  // Nothing is said: who is asked about has had no handshake.
  const client = closing(await connect({ host: '127.0.0.1', port }));
  expect(await client.read()).toBe(null);
  expect(seen).toEqual([[null, null, client.local]]);
  picky.close();
  expect(await accepting).toEqual(failing('ERR_CLOSED'));
});

test('256 clients have their handshakes at once; the others wait in the backlog', async () => {
  let taken = 0;
  const listening = await server(
    { host: '127.0.0.1', port: 0, tls: { key, cert, handshakeTimeout: 1e9 } },
    { authorize: () => (taken += 1) > 0 },
  );
  const { host, port } = listening.address as Port;
  const accepting = listening.accept().catch((error: unknown) => error);
  const silent: Connection[] = [];
  for (let i = 0; i < 256 + 2; i++) silent.push(closing(await connect({ host, port })));
  await vi.waitUntil(() => taken >= 256);
  for (const more of [0, 1, 2]) {
    // Who leaves makes room for one; were there more of it, they would have been taken, too.
    if (more > 0) silent[more]!.close();
    await vi.waitUntil(() => taken >= 256 + more);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(256 + more);
  }
  listening.close();
  expect(await accepting).toEqual(failing('ERR_CLOSED'));
});

test('whose handshake is done while nobody accepts is for the next accept()', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const address = listening.address as Port;
  const slow = closing(await connect(address));
  const accepting = listening.accept();
  closing(await connect({ ...address, tls: { ca: cert } }));
  // Who came first was taken out of the backlog, and has said nothing yet.
  closing(await accepting);
  const socket = tlsConnect({
    socket: slow.toDuplex() as Socket,
    ca: cert,
    servername: 'localhost',
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  socket.write('early');
  const served = closing(await listening.accept());
  expect(String(await served.read())).toBe('early');
});

test('toDuplex() is what tls of Node’s own runs over, on either side', async () => {
  const node = createServer({ key, cert }, (socket) => void socket.end('from tls'));
  node.listen(0, '127.0.0.1');
  onTestFinished(() => void node.close());
  await once(node, 'listening');
  const { port } = node.address() as AddressInfo;
  const connection = closing(await connect({ host: '127.0.0.1', port }));
  const socket = tlsConnect({
    socket: connection.toDuplex() as Socket,
    ca: cert,
    servername: 'localhost',
  });
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(String(chunk)).toBe('from tls');
  socket.destroy();
});

/** A client in a process of its own, and this side of its connection; see the fixture. */
async function clientThat(what: string, size = 0): Promise<{ peer: Peer; served: Connection }> {
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const { port } = listening.address as Port;
  const peer = Peer.node(new URL('./fixtures/secure.mjs', import.meta.url), [port, what, size]);
  const served = closing(await listening.accept());
  expect(String(await served.receive())).toBe('here');
  await served.send('welcome');
  return { peer, served };
}

test.each(['idle', 'unref', 'unread'])(
  'a TLS connection does not keep the process alive: %s',
  async (what) => {
    const { peer, served } = await clientThat(what, 50_000);
    if (what === 'unread') served.write(Buffer.alloc(1 << 20)).catch(() => {});
    expect(await peer.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
  },
);

test('a receive() that waits on a TLS connection keeps the process alive', async () => {
  const { peer, served } = await clientThat('waiting');
  await served.send('late');
  expect(await peer.ended).toMatchObject({ code: 0, stdout: 'late\n' });
});

test.each(['written', 'streamed', 'closed'])(
  'what a TLS connection has taken arrives, though the program has come to its end: %s',
  async (what) => {
    const size = 1 << 20;
    const { peer, served } = await clientThat(what, size);
    let count = 0;
    while (count < size) count += (await served.read())!.length;
    // A stream of Node's waits for the other side's end.
    if (what === 'streamed') served.close();
    expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
    expect(count).toBe(size);
  },
);

test('close() of a TLS connection sends what was written and closes all below, whether the other side ends or not', async () => {
  let heard = '';
  const patient = { key, cert, allowHalfOpen: true };
  const node = createServer(patient, (socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on('data', (chunk) => (heard += String(chunk))).on('error', () => {});
  });
  node.listen(0, '127.0.0.1');
  onTestFinished(() => void node.close());
  await once(node, 'listening');
  const { port } = node.address() as AddressInfo;
  const sockets = (): number => descriptors().filter((each) => each.includes('socket:')).length;
  const before = sockets();
  const client = await connect({ host: '127.0.0.1', port, tls: { ca: cert } });
  await client.write('last words');
  client.close();
  // What stays is the other side's.
  await vi.waitUntil(() => heard === 'last words' && sockets() <= before + 1);
});

test('a TLS connection whose receiver is closed goes on sending, whatever comes', async () => {
  const listening = await server({ host: '127.0.0.1', port: 0, tls: { key, cert } });
  const connecting = connect({ ...(listening.address as Port), tls: { ca: cert } });
  const served = closing(await listening.accept());
  const client = closing(await connecting);
  const [sender, receiver] = [socketSender(client), socketReceiver(client)];
  const waiting = client.receive();
  receiver.close();
  expect(await waiting).toBe(null);
  for (let i = 0; i < 20; i++) await served.send(Buffer.alloc(100_000));
  await sender.send('still here');
  expect(String(await served.receive())).toBe('still here');
});
