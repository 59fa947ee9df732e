// Prints the table of figures in docs/choosing.md: channels by URL between two processes, as they are used
// there. Run: node packages/octoipc/test/measure.mjs [scheme…]; for nats with NATS=host:port.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createPipe } from '@octoipc/pipe';
import { openReceiver, openSender } from 'octoipc';

const SMALL = 64;
const LARGE = 65_536;
const ROUNDS = 2000;
const WINDOW = 64;
/** What one measurement may take at most, in milliseconds. */
const TIME = 1500;

const [role, ...args] = process.argv.slice(2);
if (role === '--send') await sending(...args);
else if (role === '--echo') await echoing(...args);
else await table(process.argv.slice(2));

/** The other process: sends until it is told to stop, a window at a time. */
async function sending(url, size) {
  const sender = await openSender(url, { create: true });
  const message = Buffer.alloc(Number(size));
  for (;;) {
    const sends = [];
    for (let i = 0; i < WINDOW; i++) sends.push(sender.send(message));
    await Promise.all(sends);
  }
}

/** The other process: sends back what it receives. */
async function echoing(from, to) {
  const receiver = await openReceiver(from, { create: !from.startsWith('pipe') });
  console.log('ready');
  const sender = await openSender(to, { create: true });
  for (;;) await sender.send(await receiver.receive());
}

function start(stdio, ...argv) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...argv], {
    stdio: ['ignore', 'pipe', 'inherit', ...stdio],
  });
  return {
    child,
    async end() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function throughput(make, size) {
  const place = make();
  const receiver = await place.receiver();
  const { end } = start(place.stdio ?? [], '--send', place.url(receiver), String(size));
  place.started?.();
  // The first ones find both processes cold.
  for (let i = 0; i < 200; i++) await receiver.receive();
  const begin = performance.now();
  let count = 0;
  while (performance.now() - begin < TIME) {
    for (let i = 0; i < 20; i++) await receiver.receive();
    count += 20;
  }
  const seconds = (performance.now() - begin) / 1000;
  await end();
  receiver.close();
  place.clean?.();
  return count / seconds;
}

async function roundTrip(make) {
  const [there, back] = [make(), make()];
  const receiver = await back.receiver();
  const url = await there.prepare();
  const { child, end } = start([], '--echo', url, back.url(receiver));
  await once(child.stdout, 'data');
  const sender = await openSender(url, { create: true });
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    const begin = performance.now();
    await sender.send('x'.repeat(SMALL));
    await receiver.receive();
    times.push(performance.now() - begin);
  }
  await end();
  sender.close();
  receiver.close();
  there.clean?.();
  back.clean?.();
  return times.toSorted((a, b) => a - b)[ROUNDS / 2] * 1000;
}

function places(folder) {
  let count = 0;
  const next = () => (count += 1);
  const opened = (make, options) => () => {
    const url = make();
    let kept;
    const open = async () => (kept = await openReceiver(url, { create: true, ...options }));
    return {
      receiver: open,
      url: (receiver) => receiver.url,
      // Somebody must have made it; a queue is not received from by being open.
      async prepare() {
        if (!options?.temporary && !url.startsWith('fifo')) return url;
        if (url.startsWith('shm')) {
          const { ShmRing } = await import('@octoipc/shm');
          kept = ShmRing.create(url.slice(4), { capacity: 1 << 20, temporary: true });
        } else if (url.startsWith('fifo')) {
          (await import('@octoipc/fifo')).mkfifo(url.slice(5));
        } else await open();
        return url;
      },
      clean: () => kept?.close(),
    };
  };
  const nats = process.env['NATS'];
  return {
    pipe: () => {
      const { reader, writer } = createPipe({ capacity: 1 << 20 });
      const fd = writer.fd;
      return {
        stdio: [fd],
        receiver: () => openReceiver(`pipe:${reader.release()}`),
        url: () => 'pipe:3',
        started: () => writer.close(),
      };
    },
    fifo: opened(() => `fifo:${join(folder, String(next()))}`),
    mq: opened(() => `mq:/octoipc-measure-${process.pid}-${next()}`, {
      temporary: true,
      maxMessages: 10,
    }),
    'sysv-mq': opened(() => `sysv-mq:${randomInt(1, 0x7fff_ffff)}`, { temporary: true }),
    shm: opened(() => `shm:/octoipc-measure-${process.pid}-${next()}`, { temporary: true }),
    unix: opened(() => `unix:${join(folder, String(next()))}`),
    'unix+seqpacket': opened(() => `unix+seqpacket:${join(folder, String(next()))}`),
    'unix+dgram': opened(() => `unix+dgram:${join(folder, String(next()))}`),
    tcp: opened(() => `tcp://127.0.0.1:${21_000 + next()}`),
    ...(nats === undefined
      ? {}
      : {
          nats: opened(() => `nats://${nats}/measure.${next()}`, { queue: 'measure' }),
          'nats+jetstream': opened(() => `nats+jetstream://${nats}/measure.${next()}`),
        }),
  };
}

async function table(wanted) {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-measure-'));
  console.log('| scheme | 64 B, messages/s | 64 KiB, MB/s | round trip of 64 B, µs |');
  console.log('| --- | --- | --- | --- |');
  for (const [scheme, make] of Object.entries(places(folder))) {
    if (wanted.length > 0 && !wanted.includes(scheme)) continue;
    const small = await throughput(make, SMALL);
    const large = scheme.endsWith('mq') ? undefined : await throughput(make, LARGE);
    const trip = scheme === 'pipe' ? undefined : await roundTrip(make);
    const cells = [
      `\`${scheme}:\``,
      Math.round(small).toLocaleString('en'),
      large === undefined ? '–' : Math.round((large * LARGE) / 1e6).toLocaleString('en'),
      trip === undefined ? '–' : String(Math.round(trip)),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  rmSync(folder, { recursive: true });
}
