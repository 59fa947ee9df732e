// @ts-check
// pipe.mjs EXERCISE SIZE CAPACITY: what the pipe suite measures, by @octoipc/pipe.
import { createPipe, PipeReader, PipeWriter } from '@octoipc/pipe';

import { answerStream, driveStream } from './byte-stream.mjs';
import { spawnPeer } from './peer.mjs';
import { now, serve } from './side.mjs';

const [exercise = '', , capacityText, role] = process.argv.slice(2);
const capacity = Number(capacityText);

function openAndClose(/** @type {number} */ count) {
  const start = now();
  for (let n = 0; n < count; n++) createPipe().close();
  return { ns: now() - start, sum: 0 };
}

async function drive() {
  if (exercise === 'open') return serve(openAndClose);
  const { child, pipes } = spawnPeer(import.meta.filename, { 3: 'read', 4: 'write' });
  const ends = { writer: pipes[3], reader: pipes[4] };
  if (capacity > 0) ends.writer.capacity = capacity;
  return driveStream(child, ends);
}

if (role === 'peer') {
  answerStream({ reader: PipeReader.fromFd(3), writer: PipeWriter.fromFd(4) });
} else {
  await drive();
}
