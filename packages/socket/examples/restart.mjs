// Replaces a server without losing a connection: the old process hands its listening socket to the new
// one. Those who connect meanwhile wait in the backlog, which belongs to the socket, not to a process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { connect, Connection, listen, Server, socketPair } from '@octoipc/socket';

/** Answers everybody with the generation of this process, until told to stop. */
async function serve(server, generation) {
  for await (const connection of server) {
    await connection.send(`${generation}: ${await connection.receive()}`);
    connection.close();
  }
}

if (process.argv[2] === 'next') {
  const old = Connection.fromFd(3);
  const {
    fds: [fd],
  } = await old.receiveFds({ maxFds: 1 });
  const server = Server.fromFd(fd);
  const serving = serve(server, 'new');
  await old.send('serving');
  await old.receive(); // the old process goes: for this example, so do we
  server.close();
  await serving;
  old.close();
} else {
  const server = await listen({ abstract: `octoipc-restart-${process.pid}` });
  const { address } = server;
  const ask = async (question) => {
    const client = await connect(address);
    await client.send(question);
    const answer = String(await client.receive());
    client.close();
    return answer;
  };
  const serving = serve(server, 'old');
  console.log(await ask('who?')); // old: who?

  const [ours, theirs] = socketPair();
  const next = spawn(process.execPath, [process.argv[1], 'next'], {
    stdio: ['ignore', 'inherit', 'inherit', theirs.fd],
  });
  theirs.close();
  await ours.sendFds([server]);
  server.close(); // our descriptor only: the socket goes on listening in the new process
  await serving;
  const answers = Promise.all(Array.from({ length: 20 }, (_, i) => ask(`${i}`)));
  await ours.receive(); // the new process serves
  console.log((await answers).every((answer) => answer.startsWith('new'))); // true
  ours.close();
  await once(next, 'exit');
}
