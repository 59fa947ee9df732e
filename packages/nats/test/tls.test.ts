import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { natsReceiver, natsSender } from '../src/index.js';
import { missing, NatsServer, titled } from './server.js';

const file = (name: string): string =>
  join(import.meta.dirname, '..', '..', 'socket', 'test', 'fixtures', `${name}.pem`);
const ca = readFileSync(file('certificate'), 'utf8');

describe.skipIf(missing !== undefined)(titled('a NATS server with TLS'), () => {
  it('is used only where its certificate is vouched for', async () => {
    const server = await NatsServer.open({
      config: `authorization { user: me, password: secret }
tls { cert_file: "${file('certificate')}", key_file: "${file('key')}" }`,
    });
    onTestFinished(() => server.end());
    const url = server.url('x').replace('//', '//me:secret@').replace('127.0.0.1', 'localhost');
    const stranger = readFileSync(file('stranger-certificate'), 'utf8');
    for (const connection of [{}, { tls: {} }, { tls: { ca: stranger } }]) {
      const refused = natsSender(url, { connection });
      await expect(refused).rejects.toMatchObject({ name: 'IpcError', code: 'EPROTO' });
    }
    const receiver = await natsReceiver(url, { connection: { tls: { ca } } });
    const sender = await natsSender(url, { connection: { tls: { ca } } });
    onTestFinished(() => {
      sender.close();
      receiver.close();
    });
    await sender.send('hello');
    expect(String(await receiver.receive())).toBe('hello');
  });
});

it('who asks for TLS sends no credentials to a server, or somebody in between, that says it has none', async () => {
  const got: Buffer[] = [];
  const stranger = createServer((socket) => {
    socket.on('data', (data) => got.push(data));
    socket.on('error', () => {});
    socket.write('INFO {"server_id":"x","version":"2.10.0","proto":1,"max_payload":1048576}\r\n');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void stranger.close());
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const url = `nats://me:secret@127.0.0.1:${port}/x`;
  const closed = once(stranger, 'connection').then(async ([socket]) => once(socket, 'close'));
  await expect(natsSender(url, { connection: { tls: { ca } } })).rejects.toMatchObject({
    name: 'IpcError',
    code: 'EPROTO',
  });
  await closed;
  expect(Buffer.concat(got).toString()).toBe('');
});
