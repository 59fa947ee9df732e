// A line for syslog or the journal, as syslog(3) sends it. With a path as argument, to that socket.
import { Datagram } from '@octoipc/socket';

const USER = 1 << 3;
const INFO = 6;

/** Resolves when the daemon's socket has taken the line. */
async function log(text, path = '/dev/log') {
  const socket = await Datagram.connect({ path });
  await socket.send(`<${USER | INFO}>example[${process.pid}]: ${text}`);
  socket.close();
}

const daemon =
  process.argv[2] === undefined ? await Datagram.bind({ path: 'log.sock' }) : undefined;
await log('hello', process.argv[2] ?? 'log.sock');
if (daemon !== undefined) {
  console.log(String((await daemon.receive()).data).replace(/\d+\]/, 'PID]')); // <14>example[PID]: hello
  daemon.close();
}
