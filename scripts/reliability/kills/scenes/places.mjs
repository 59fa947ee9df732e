// What has its place in the file system: FIFOs and sockets.
import { execFileSync } from 'node:child_process';
import { lstatSync, writeFileSync } from 'node:fs';

import { openReaderSync, tryOpenWriter, unlink } from '@octoipc/fifo';
import { connect, Datagram, listen } from '@octoipc/socket';

import { codeOf, removed, TIMEOUT, token } from '../scene.mjs';

async function serve({ path }) {
  const server = await listen({ path }, { reclaim: true });
  try {
    const accepted = server.accept({ timeout: TIMEOUT });
    accepted.catch(() => {});
    const client = await connect({ path }, { timeout: TIMEOUT });
    const sent = token();
    await client.write(sent, { timeout: TIMEOUT });
    const peer = await accepted;
    const got = String(await peer.read({ timeout: TIMEOUT }));
    client.close();
    peer.close();
    if (got !== sent) throw new Error('somebody else answered');
  } finally {
    server.close();
  }
}

/** A server of datagrams, and a client of it. */
async function serveDatagrams({ path }) {
  const server = await Datagram.bind({ path }, { reclaim: true });
  try {
    const client = await Datagram.connect({ path });
    const sent = token();
    await client.send(sent, undefined, { timeout: TIMEOUT });
    client.close();
    const { data } = await server.receive({ timeout: TIMEOUT });
    if (String(data) !== sent) throw new Error('somebody else sent');
  } finally {
    server.close();
  }
}

/** A server that was killed has left its socket, which nobody is bound to, and its lock. */
function deadServer(path, type) {
  const bind = `import socket, sys; socket.socket(socket.AF_UNIX, socket.${type}).bind(sys.argv[1])`;
  execFileSync('python3', ['-c', bind, path]);
  writeFileSync(`${path}.lock`, '');
}

const bound = (bind, serveOnce) => ({
  mechanism: 'socket',
  stays: ({ path }) => path,
  async life({ path }) {
    try {
      const server = await bind(path);
      server.close();
    } catch (error) {
      // A rival has it at this moment.
      if (error.code !== 'EADDRINUSE') throw error;
    }
  },
  next: serveOnce,
  async rival(ctx) {
    try {
      await serveOnce(ctx);
    } catch (error) {
      return error.code === 'EADDRINUSE' ? undefined : `a live server’s path: ${codeOf(error)}`;
    }
  },
});

const stream = bound((path) => listen({ path }, { reclaim: true }), serve);
const datagram = bound((path) => Datagram.bind({ path }, { reclaim: true }), serveDatagrams);

export const PLACES = {
  fifo: {
    mechanism: 'fifo',
    stays: ({ path }) => path,
    life({ path }) {
      process.umask(0o077);
      const reader = openReaderSync(path, { create: true, mode: 0o640, waitForWriter: false });
      tryOpenWriter(path)?.close();
      reader.close();
      removed(() => unlink(path));
    },
    after({ path }) {
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status === undefined) return undefined;
      if (!status.isFIFO()) return 'it is no FIFO';
      const mode = (status.mode & 0o777).toString(8);
      return (status.mode & 0o777 & ~0o640) === 0 ? undefined : `its mode is ${mode}`;
    },
    next({ path }) {
      const reader = openReaderSync(path, { create: true, mode: 0o640, waitForWriter: false });
      const writer = tryOpenWriter(path);
      writer.writeSync('hello');
      if (String(reader.readSync({ timeout: TIMEOUT })) !== 'hello') throw new Error('no hello');
      writer.close();
      reader.close();
      unlink(path);
    },
    rival({ path }) {
      openReaderSync(path, { create: true, mode: 0o640, waitForWriter: false }).close();
      // The victim may have unlinked it meanwhile: one look, not two.
      const isOther = lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === false;
      return isOther ? 'no FIFO' : undefined;
    },
  },
  'socket, first': stream,
  'socket, reclaimed': { ...stream, prepare: ({ path }) => deadServer(path, 'SOCK_STREAM') },
  'socket Datagram, first': datagram,
  'socket Datagram, reclaimed': {
    ...datagram,
    prepare: ({ path }) => deadServer(path, 'SOCK_DGRAM'),
  },
};
