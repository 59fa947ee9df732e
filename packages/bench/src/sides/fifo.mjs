// @ts-check
// fifo.mjs EXERCISE SIZE [CAPACITY]: what the fifo suite measures, by @octoipc/fifo.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { mkfifo, openReader, openReaderSync, openWriter, tryOpenWriter } from '@octoipc/fifo';

import { answerStream, driveStream } from './byte-stream.mjs';
import { spawnPeer } from './peer.mjs';
import { now, serve } from './side.mjs';

const [exercise = '', , ...rest] = process.argv.slice(2);
const isPeer = rest.at(-1) === 'peer';
const capacity = Number(isPeer ? rest.at(-2) : rest[0]) || 0;

/** What opens an end and closes it again, by exercise. @type {Record<string, (path: string) => unknown>} */
const openings = {
  open: (path) => openReaderSync(path).close(),
  'open-writer': async (path) => (await openWriter(path)).close(),
  'try-open-writer': (path) => tryOpenWriter(path)?.close(),
};

/** Where the peer finds both FIFOs. */
const FOLDER = 'OCTOIPC_BENCH_FOLDER';

async function drive() {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [forth, back] = [join(folder, 'forth'), join(folder, 'back')];
  mkfifo(forth);
  mkfifo(back);
  const opening = openings[exercise];
  if (opening !== undefined) {
    // Who writes needs somebody who reads.
    const other = exercise === 'open' ? undefined : openReaderSync(forth);
    return serve(async (count) => {
      const start = now();
      for (let n = 0; n < count; n++) {
        const opened = opening(forth);
        if (opened !== undefined) await opened;
      }
      return { ns: now() - start, readers: other?.closed === false ? 1 : 0 };
    });
  }
  process.env[FOLDER] = folder;
  const { child } = spawnPeer(import.meta.filename, {});
  const ends = { reader: await openReader(back), writer: await openWriter(forth) };
  if (capacity > 0) ends.writer.capacity = capacity;
  return driveStream(child, ends);
}

async function answer() {
  const folder = process.env[FOLDER] ?? '';
  const reader = await openReader(join(folder, 'forth'));
  answerStream({ reader, writer: await openWriter(join(folder, 'back')) });
}

if (isPeer) await answer();
else await drive();
