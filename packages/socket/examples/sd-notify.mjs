// A service that tells its manager when it is ready, and a manager that knows who told it.
import { Datagram, notify } from '@octoipc/socket';

const manager = await Datagram.bind({ abstract: `octoipc-manager-${process.pid}` });
process.env.NOTIFY_SOCKET = `@${manager.local.abstract}`;

await notify('READY=1\nSTATUS=at your service');
const { data, peer } = await manager.receive();
console.log(String(data).split('\n')[0], peer.pid === process.pid); // READY=1 true

await notify({ WATCHDOG: 1 });
console.log(String((await manager.receive()).data)); // WATCHDOG=1
manager.close();
