import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect as tlsConnect, createServer } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';

import { connect } from '@octoipc/socket';
import { expect, onTestFinished, test } from 'vitest';

import { closing, server } from './opened.js';

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
