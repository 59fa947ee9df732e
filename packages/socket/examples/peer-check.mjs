// A server that talks to its own user only, and a handle of the client's process that stays right
// however often its pid is used again.
import { connect, listen } from '@octoipc/socket';

const address = { abstract: `octoipc-peers-${process.pid}` };
const authorize = ({ uid }) => uid === process.getuid() || uid === 0;
const server = await listen(address, { authorize });

const client = await connect(address);
const connection = await server.accept();
const { pid, uid } = connection.peer;
console.log(pid === process.pid, uid === process.getuid()); // true true

const peer = connection.peerProcess(); // by SO_PEERPIDFD, Linux 6.5
console.log(peer.alive); // true
for (const each of [peer, connection, client, server]) each.close();
