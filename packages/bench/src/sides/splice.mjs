// @ts-check
// splice.mjs KIND EXERCISE SIZE: messages that one process writes into a pipe or a socket of its own and moves by splice(2)
// to another process, which reads them, by @octoipc/pipe. KIND is pipe-pipe, pipe-socket or socket-pipe; sockets are
// Unix streams. EXERCISE is sync or awaited.
import { spawn } from 'node:child_process';

import { createPipe, PipeReader, splice, spliceSync } from '@octoipc/pipe';
import { Connection, socketPair } from '@octoipc/socket';

import { readEach, sendAwaited, sendEach } from './flows.mjs';
import { spawnPeer } from './peer.mjs';
import { driveFlow, memoryOf, receiveFlow } from './side.mjs';

const [kind = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const toSocket = kind === 'pipe-socket';

/**
 * What is collected is closed.
 *
 * @type {object[]}
 */
const kept = [];

/** Where messages are put, and where they are moved from. */
function makeSource() {
  if (kind === 'socket-pipe') {
    const [writer, reader] = socketPair({ type: 'stream' });
    return { writer, reader };
  }
  return createPipe();
}

/** The other process, and where messages are moved to. */
function makeSink() {
  if (!toSocket) {
    const { child, pipes } = spawnPeer(import.meta.filename, { 3: 'read' });
    return { child, sink: pipes[3] };
  }
  const [sink, theirs] = socketPair({ type: 'stream' });
  const args = [...process.execArgv, import.meta.filename, ...process.argv.slice(2), 'peer'];
  const stdio = /** @type {const} */ (['ignore', 'inherit', 'inherit', theirs.fd, 'ipc']);
  const child = spawn(process.execPath, args, { stdio: [...stdio] });
  theirs.close();
  return { child, sink };
}

function drive() {
  const source = makeSource();
  const { child, sink } = makeSink();
  kept.push(source, sink);
  const { writer, reader } = source;
  const length = { length: size };
  if (exercise === 'sync') {
    const send = sendEach(size, (message) => {
      writer.writeSync(message);
      spliceSync(reader, sink, length);
    });
    return driveFlow(child, send);
  }
  const send = sendAwaited(size, async (message) => {
    await writer.write(message);
    await splice(reader, sink, length);
  });
  return driveFlow(child, send);
}

function answer() {
  const end = toSocket ? Connection.fromFd(3) : PipeReader.fromFd(3);
  const target = { into: memoryOf(size) };
  kept.push(end);
  receiveFlow(readEach(size, () => end.readSync(target)));
}

if (role === 'peer') answer();
else await drive();
