import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ShmRing } from '@octoipc/shm';
import { expect, test } from 'vitest';

import { codeNow } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { attach, compilePeer, missing, peers, ring } from './rings.js';
import { folder } from './scripts.js';

compilePeer();

const path = (file: string): string => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
/** A user that nobody else is. */
const STRANGER = 64_977;

const CLAIMING = `
const { ShmRing } = require('@octoipc/shm');
ShmRing.attach(process.argv[1]).producer().claim(8);
console.log('claimed');
setInterval(() => {}, 1000);
`;

/** A ring for several, whose turn somebody has who was killed. */
async function abandoned(): Promise<string> {
  const { name } = ring({ producers: 'multiple' });
  const dying = Peer.start(process.execPath, ['-e', CLAIMING, name], { cwd: path('..') });
  await dying.line();
  dying.child.kill('SIGKILL');
  await dying.ended;
  return name;
}

test('RING-006: who only tries has the turn of a dead producer, too', async () => {
  for (const send of [
    (producer: ReturnType<ShmRing['producer']>) => producer.trySend('sent'),
    (producer: ReturnType<ShmRing['producer']>) => {
      const claim = producer.claim(4);
      claim?.bytes.set(Buffer.from('sent'));
      claim?.commit();
      return claim !== null;
    },
  ]) {
    const ours = attach(await abandoned());
    expect(send(ours.producer())).toBe(true);
    expect(String(ours.consumer().tryReceive())).toBe('sent');
  }
  const ours = attach(await abandoned());
  await ours.producer().send('sent', { timeout: 0 });
  expect(String(ours.consumer().tryReceive())).toBe('sent');
});

test.each((['C', 'python'] as const).filter((name) => !missing(peers[name].tool)))(
  'RING-006: so it is for %s',
  async (language) => {
    const name = await abandoned();
    const [file, ...first] = peers[language].command;
    const { status, stdout } = spawnSync(file, [...first, name, 'try'], { encoding: 'utf8' });
    expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: 'sent' });
  },
);

const why =
  process.getuid?.() !== 0
    ? 'it takes root'
    : (whyNoStranger(STRANGER, path('hidden.mjs')) ??
      (spawnSync('unshare', ['-m', 'true']).status === 0 ? undefined : 'unshare(1) does not work'));
if (why !== undefined) console.log(`a hidden producer is not tried: ${why}`);

const strangers = (['ours', 'C', 'python'] as const).filter((language) => {
  if (language === 'ours') return true;
  if (missing(peers[language].tool)) return false;
  if (language === 'C') return true;
  const may = spawnSync('setpriv', [...asUser(STRANGER), 'python3', '-c', '']).status === 0;
  if (!may) console.log('skipped: python3 is not there for other users');
  return may;
});

test.skipIf(why !== undefined).each(strangers)(
  'a producer whom /proc hides from other users lives (%s)',
  (language) => {
    const { ring: made, name } = ring({ mode: 0o666 });
    const producer = made.producer();
    producer.trySend('first');
    const command =
      language === 'ours' ? [process.execPath, path('hidden.mjs')] : peers[language].command;
    const hidden = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv "$@"';
    const args = ['-m', 'sh', '-c', hidden, 'sh', ...asUser(STRANGER), ...command, name, 'try'];
    const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    expect(stdout.trim(), stderr).toBe('EBUSY');
    expect(String(made.consumer().tryReceive())).toBe('first');
  },
);

test('a producer that comes again and again to a ring in use never finds it damaged', async () => {
  const { ring: made, name } = ring({ capacity: 256, producers: 'multiple' });
  const consumer = made.consumer();
  const busy = Peer.start(process.execPath, [path('ring-busy.mjs'), name], {});
  await busy.line();
  const others = attach(name);
  for (let i = 0; i < 3000; i++) {
    others.producer().close();
    consumer.consume(() => {});
  }
});

const HOLDING = `
const { ShmRing } = require('@octoipc/shm');
const claim = ShmRing.attach(process.argv[1]).producer().claim(8);
console.log('claimed');
process.stdin.once('data', () => setTimeout(() => claim.abort(), 50));
setInterval(() => {}, 1000);
`;

test('who spins for its turn sees that it is free, and does not sleep', async () => {
  const { ring: made, name } = ring({ producers: 'multiple' });
  const holding = Peer.start(process.execPath, ['-e', HOLDING, name], { cwd: path('..') });
  await holding.line();
  const producer = made.producer();
  producer.spin = 1_000_000;
  expect(producer.trySend('early')).toBe(false);
  holding.child.stdin!.write('go on\n');
  await new Promise(setImmediate);
  producer.sendSync('in time');
  expect(producer.stats.sleeps).toBe(0);
  expect(String(made.consumer().tryReceive())).toBe('in time');
});

const others = (['ours', 'C', 'python'] as const).filter(
  (language) => !missing('cc') && (language === 'ours' || !missing(peers[language].tool)),
);

/** What comes of joining as another producer. */
function joining(language: keyof typeof peers, made: ShmRing, name: string): string | undefined {
  if (language === 'ours') return codeNow(() => made.producer());
  const [file, ...first] = peers[language].command;
  return spawnSync(file, [...first, name, 'try'], { encoding: 'utf8' }).stdout.trim();
}

test.each(others)(
  'a producer whose first thread has ended lives as long as another does (%s)',
  async (language) => {
    const { ring: made, name } = ring();
    const consumer = made.consumer();
    const program = join(folder(), 'main-ends');
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror', `-I${path('../../include')}`, '-pthread'];
    execFileSync('cc', [...flags, '-o', program, path('main-ends.c')]);
    const producing = Peer.start(program, [name]);
    expect(await producing.line()).toBe('joined');
    expect(joining(language, made, name)).toBe('EBUSY');
    // It looks whether that lives, and waits.
    const received = consumer.receive();
    producing.tell('');
    expect(String(await received)).toBe('alive');
    producing.child.kill('SIGKILL');
    await producing.ended;
    await expect(consumer.receive()).rejects.toMatchObject({ code: 'EOWNERDEAD' });
  },
);

/** In it all processes seem to have started a day later. */
const TIMES = ['--time', '--boottime', '86400', '--fork', '--kill-child'];
const noTimes = spawnSync('unshare', [...TIMES, 'true']).status !== 0;
if (noTimes) console.log('skipped: no time namespace can be made here');

test.skipIf(noTimes).each(others)(
  'a producer of another time namespace lives (%s)',
  async (language) => {
    const { ring: made, name } = ring();
    const producer = made.producer();
    producer.trySend('first');
    const command =
      language === 'ours' ? [process.execPath, path('hidden.mjs')] : peers[language].command;
    const { stdout, stderr } = spawnSync('unshare', [...TIMES, ...command, name, 'try'], {
      encoding: 'utf8',
    });
    expect(stdout.trim(), stderr).toBe('EBUSY');
    producer.close();
    const other = Peer.start('unshare', [...TIMES, process.execPath, '-e', CLAIMING, name], {
      cwd: path('..'),
    });
    expect(await other.line()).toBe('claimed');
    expect(() => made.producer()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  },
);
