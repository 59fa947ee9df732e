// @ts-check
// net.mjs KIND EXERCISE SIZE: what Node's own net offers, over a Unix socket (stream) or over TCP (tcp).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { answers, readStream, writeStream } from './flows.mjs';
import {
  driveFlow,
  driveTrips,
  fill,
  receiveFlow,
  receiveTrips,
  sumOf,
  tripsAwaited,
} from './side.mjs';

const [kind = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);

/** Where the peer connects to. */
const WHERE = 'OCTOIPC_BENCH_WHERE';

async function drive() {
  const server = createServer({ noDelay: true });
  if (kind === 'tcp') server.listen(0, '127.0.0.1');
  else {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    server.listen(join(folder, 'socket'));
  }
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
    const trip = tripsAwaited(
      (n) => {
        const answered = once(socket, 'data');
        fill(message, n);
        socket.write(message);
        return answered;
      },
      undefined,
      ([chunk]) => sumOf(chunk, 0),
    );
    return driveTrips(child, trip);
  }
  return driveFlow(child, writeStream(size, socket));
}

async function answer() {
  const where = process.env[WHERE] ?? '';
  const socket =
    kind === 'tcp'
      ? connect({ port: Number(where), host: '127.0.0.1', noDelay: true })
      : connect(where);
  await once(socket, 'connect');
  if (exercise === 'roundtrip') {
    const reply = Buffer.alloc(size);
    const { told, echo } = answers(reply, () => socket.write(reply));
    socket.on('data', told);
    receiveTrips(echo);
    return;
  }
  receiveFlow(readStream(size, socket));
}

if (role === 'peer') await answer();
else await drive();
