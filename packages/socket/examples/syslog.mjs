// A line for syslog or the journal, as syslog(3) sends it. With a path as argument, to that socket.
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Datagram } from '@octoipc/socket';

const own = join(tmpdir(), `example-${process.pid}.sock`);

const USER = 1 << 3;
const INFO = 6;

/** Resolves when the daemon's socket has taken the line. */
async function log(text, path = '/dev/log') {
  const socket = await Datagram.connect({ path });
  await socket.send(`<${USER | INFO}>example[${process.pid}]: ${text}`);
  socket.close();
}

const daemon = process.argv[2] === undefined ? await Datagram.bind({ path: own }) : undefined;
await log('hello', process.argv[2] ?? own);
if (daemon !== undefined) {
  console.log(String((await daemon.receive()).data).replace(/\d+\]/, 'PID]')); // <14>example[PID]: hello
  daemon.close();
}
