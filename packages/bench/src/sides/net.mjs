// @ts-check
// net.mjs KIND EXERCISE SIZE: what Node's own net offers, over a Unix socket (stream) or over TCP (tcp).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { driveFlow, driveTrips, fill, now, receiveFlow, receiveTrips, sumOf } from './side.mjs';

const [kind = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);

/** Where the peer connects to. */
const WHERE = 'OCTOIPC_BENCH_WHERE';

async function drive() {
  const server = createServer({ noDelay: true });
  if (kind === 'tcp') server.listen(0, '127.0.0.1');
  else server.listen(join(tmpdir(), `octoipc-bench-${process.pid}.sock`));
  await once(server, 'listening');
  const address = server.address();
  const where = typeof address === 'string' ? address : String(address?.port);
  const args = [...process.execArgv, import.meta.filename, ...process.argv.slice(2), 'peer'];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [WHERE]: where },
  });
  const [socket] = await once(server, 'connection');
  server.close();
  if (exercise === 'roundtrip') {
    const message = Buffer.alloc(size);
    return driveTrips(child, async (times) => {
      for (let n = 0; n < times.length; n++) {
        const before = now();
        socket.write(message);
        await once(socket, 'data');
        times[n] = now() - before;
      }
    });
  }
  return driveFlow(child, async (count) => {
    for (let n = 0; n < count; n++) {
      const chunk = Buffer.allocUnsafe(size);
      fill(chunk, n);
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
  });
}

async function answer() {
  const where = process.env[WHERE] ?? '';
  const socket =
    kind === 'tcp'
      ? connect({ port: Number(where), host: '127.0.0.1', noDelay: true })
      : connect(where);
  await once(socket, 'connect');
  if (exercise === 'roundtrip') {
    socket.on('data', (chunk) => socket.write(chunk));
    receiveTrips(() => {});
    return;
  }
  /** @type {(chunk: Buffer) => void} */
  let take = () => {};
  socket.on('data', (chunk) => take(chunk));
  receiveFlow(
    (count) =>
      new Promise((resolve) => {
        let at = 0;
        let sum = 0;
        take = (chunk) => {
          sum += sumOf(chunk, at);
          at += chunk.length;
          if (at === count * size) resolve(sum);
        };
      }),
  );
}

if (role === 'peer') await answer();
else await drive();
