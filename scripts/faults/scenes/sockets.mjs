// Sockets of all kinds.
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';

import { later, PATIENT, same, scene } from '../scene.mjs';

/** A server, a client, and the server's end of their connection. */
async function connected(scope, address, options) {
  const { connect, listen } = await import('@octoipc/socket');
  const server = scope.add(await listen(address, options));
  const accepted = later(server.accept(PATIENT));
  const client = scope.add(await connect(server.address, { ...options, ...PATIENT }));
  return { client, peer: scope.add(await accepted) };
}

export const SOCKETS = {
  socket: scene(async (scope) => {
    const { client, peer } = await connected(scope, { path: join(scope.folder(), 'socket') });
    const read = later(peer.read(PATIENT));
    await client.write('hello', PATIENT);
    same(await read, 'hello');
  }),
  'socket seqpacket': scene(async (scope) => {
    const path = join(scope.folder(), 'socket');
    const { client, peer } = await connected(scope, { path }, { type: 'seqpacket' });
    const received = later(peer.receive(PATIENT));
    await client.send('hello', PATIENT);
    same(await received, 'hello');
    same(client.peer.pid, String(process.pid));
  }),
  'socket TCP': scene(async (scope) => {
    const { client, peer } = await connected(scope, { host: '127.0.0.1', port: 0 });
    const received = later(peer.receive(PATIENT));
    await client.send('hello', PATIENT);
    same(await received, 'hello');
  }),
  'socket Datagram': scene(async (scope) => {
    const { Datagram } = await import('@octoipc/socket');
    const path = join(scope.folder(), 'socket');
    const server = scope.add(await Datagram.bind({ path }, { reclaim: true }));
    const client = scope.add(await Datagram.connect({ path }));
    const received = later(server.receive(PATIENT));
    await client.send('hello', undefined, PATIENT);
    same((await received).data, 'hello');
  }),
  'socket fds': scene(async (scope) => {
    const { socketPair } = await import('@octoipc/socket');
    const [one, other] = socketPair();
    scope.add(one);
    scope.add(other);
    const received = later(other.receiveFds({ maxFds: 2, ...PATIENT }));
    await one.sendFds([0, other.fd], 'hello', PATIENT);
    const { data, fds } = await received;
    for (const fd of fds) scope.add(fd, () => closeSync(fd));
    same(data, 'hello');
    same(fstatSync(fds[1]).isSocket(), 'true');
  }),
};
