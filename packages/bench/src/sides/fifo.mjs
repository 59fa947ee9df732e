// @ts-check
// fifo.mjs EXERCISE SIZE: what the fifo suite measures, by @octoipc/fifo.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { mkfifo, openReader, openReaderSync, openWriter } from '@octoipc/fifo';

import { answerStream, driveStream } from './byte-stream.mjs';
import { spawnPeer } from './peer.mjs';
import { now, serve } from './side.mjs';

const [exercise = '', , role] = process.argv.slice(2);

/** Where the peer finds both FIFOs. */
const FOLDER = 'OCTOIPC_BENCH_FOLDER';

async function drive() {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [forth, back] = [join(folder, 'forth'), join(folder, 'back')];
  mkfifo(forth);
  mkfifo(back);
  if (exercise === 'open') {
    return serve((count) => {
      const start = now();
      for (let n = 0; n < count; n++) openReaderSync(forth).close();
      return { ns: now() - start };
    });
  }
  process.env[FOLDER] = folder;
  const { child } = spawnPeer(import.meta.filename, {});
  const ends = { reader: await openReader(back), writer: await openWriter(forth) };
  return driveStream(child, ends);
}

async function answer() {
  const folder = process.env[FOLDER] ?? '';
  const reader = await openReader(join(folder, 'forth'));
  answerStream({ reader, writer: await openWriter(join(folder, 'back')) });
}

if (role === 'peer') await answer();
else await drive();
