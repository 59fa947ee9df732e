// Hands an open file, and one end of a pipe, to another process, which has no right to the path.
import { spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { once } from 'node:events';

import { createPipe, PipeWriter } from '@octoipc/pipe';
import { Connection, socketPair } from '@octoipc/socket';

if (process.argv[2] === 'child') {
  const parent = Connection.fromFd(3);
  const { data, fds } = await parent.receiveFds({ maxFds: 2 });
  const [file, pipe] = fds;
  const writer = PipeWriter.fromFd(pipe);
  await writer.write(`${data}: ${readFileSync(file, 'utf8').split('\n')[0]}`);
  writer.close();
  closeSync(file);
  parent.close();
} else {
  const [ours, theirs] = socketPair();
  const child = spawn(process.execPath, [process.argv[1], 'child'], {
    stdio: ['ignore', 'inherit', 'inherit', theirs.fd],
  });
  theirs.close();
  const { reader, writer } = createPipe();
  const file = openSync(new URL('../package.json', import.meta.url));
  await ours.sendFds([file, writer], 'the first line');
  writer.close();
  closeSync(file);
  console.log(String(await reader.readAll())); // the first line: {
  await once(child, 'exit');
  reader.close();
  ours.close();
}
