import type { BadInputAdapter } from '@octoipc/conformance';
import { connect, Connection, Datagram, listen, Server, socketPair } from '@octoipc/socket';

import { folder, freshName, freshPath } from './place.js';

const isWait = (milliseconds: number): boolean => milliseconds >= 0;
const isMode = (mode: number): boolean => Number.isInteger(mode) && mode >= 0 && mode <= 0o777;
const isBacklog = (length: number): boolean =>
  Number.isInteger(length) && length >= 0 && length < 2 ** 31;

export const input: BadInputAdapter = {
  name: 'listen(), connect(), socketPair() and Datagram',
  mechanism: ['SOCK', 'TCP'],
  async open() {
    const [left, right] = socketPair();
    const datagram = await Datagram.bind();
    right.writeSync('there is something to read');
    const nobody = { path: `${folder}/nobody` };
    const address = datagram.local as { abstract: string };
    const listenOnce = async (options: object): Promise<void> =>
      (await listen({ abstract: freshName() }, options)).close();
    return {
      numbers: {
        'Connection.fromFd()': (fd: never) => Connection.fromFd(fd),
        'Server.fromFd()': (fd: never) => Server.fromFd(fd),
        'Datagram.fromFd()': (fd: never) => Datagram.fromFd(fd),
        'listen({ mode })': { call: (mode: never) => listenOnce({ mode }), accepts: isMode },
        'listen({ backlog })': {
          call: (backlog: never) => listenOnce({ backlog }),
          accepts: isBacklog,
        },
        'connect({ timeout })': {
          call: (timeout: never) => connect(nobody, { timeout }),
          accepts: isWait,
        },
        'connect({ port })': (port: never) => connect({ host: '127.0.0.1', port }),
        'read({ timeout })': {
          call: (timeout: never) => left.read({ timeout, maxBytes: 1 }),
          accepts: isWait,
        },
        'write({ timeout })': {
          call: (timeout: never) => left.write('x', { timeout }),
          accepts: isWait,
        },
        'receiveFds({ maxFds })': (maxFds: never) => datagram.receive({ maxFds, timeout: 0 }),
        'sendFds()': (fd: never) => left.sendFds([fd]),
      },
      options: {
        'listen()': (options: never) => listenOnce(options),
        'connect()': (options: never) => connect(nobody, options),
        'socketPair()': (options: never) => socketPair(options),
        'read()': (options: never) => left.read(options),
        'write()': (options: never) => left.write('x', options),
        'send()': (options: never) => left.send('x', options),
        'receiveFds()': (options: never) => left.receiveFds(options),
        'Datagram.bind()': (options: never) => Datagram.bind({ abstract: freshName() }, options),
        'Datagram.send()': (options: never) => datagram.send('x', address, options),
      },
      waits: {
        'connect()': (options: never) => connect(nobody, options),
        'read()': (options: never) => left.read(options),
        'write()': (options: never) => left.write('x', options),
        'Datagram.receive()': (options: never) => datagram.receive(options),
      },
      data: {
        'write()': (data: never) => left.write(data),
        'tryWrite()': (data: never) => left.tryWrite(data),
        'writeSync()': (data: never) => left.writeSync(data),
      },
      names: {
        'listen({ path })': (path: never) => listen({ path }),
        'connect({ path })': (path: never) => connect({ path }),
        'listen({ host })': (host: never) => listen({ host, port: 0 }),
        'Datagram.bind({ path })': (path: never) => Datagram.bind({ path }),
      },
      methods: [
        { of: left, names: ['read', 'tryRead', 'write', 'send', 'receive', 'sendFds', 'peer'] },
        { of: left, names: ['close', 'closed', 'release', 'end', 'toDuplex', 'local'] },
        { of: datagram, names: ['send', 'receive', 'tryReceive', 'close', 'local'] },
      ],
      state: () => [left.closed, right.closed, datagram.closed, freshPath().length > 0],
      close() {
        left.close();
        right.close();
        datagram.close();
      },
    };
  },
};
