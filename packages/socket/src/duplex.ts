import type Net from 'node:net';
import type { Socket } from 'node:net';
import type Stream from 'node:stream';
import type { Duplex } from 'node:stream';

import type { ByteReader, ByteWriter } from '@octoipc/core';
import {
  check,
  optionalBoolean,
  optionsObject,
  webReadableOf,
  webWritableOf,
} from '@octoipc/core/kit';

import type { Connection } from './connection.js';
import { SHUT_RD } from './constants.js';

/** What `toDuplex` takes. */
export interface DuplexOptions {
  /** Whether this side goes on writing once the other one has ended. @default false */
  readonly allowHalfOpen?: boolean;
}

/**
 * A Node stream over a connection. A stream's is a `net.Socket` of Node's own, over a duplicate of the
 * descriptor: what http and tls do with one they do with this, as quickly.
 */
export function duplexOf(connection: Connection, options?: DuplexOptions): Duplex {
  const { allowHalfOpen = false } = optionsObject(options);
  optionalBoolean(allowHalfOpen, 'options.allowHalfOpen');
  if (connection.type === 'seqpacket') return packetDuplex(connection, allowHalfOpen);
  const { binding, fd, target } = connection.socket;
  const copy = check(binding.duplicate(fd, false), 'fcntl', { target });
  let duplex: Socket;
  try {
    const { Socket: NodeSocket } = require('node:net') as typeof Net;
    duplex = new NodeSocket({ fd: copy, readable: true, writable: true, allowHalfOpen });
  } catch (error) {
    binding.closeUnowned(copy);
    throw error;
  }
  const returned = connection.takeReturned();
  if (returned !== undefined) duplex.unshift(returned);
  return joined(connection, duplex);
}

/** Each is closed with the other. */
function joined<D extends Duplex>(connection: Connection, duplex: D): D {
  const forget = connection.onClosed(() => duplex.destroy());
  duplex.once('close', () => {
    forget();
    connection.close();
  });
  return duplex;
}

/** Each chunk is a packet. */
function packetDuplex(connection: Connection, allowHalfOpen: boolean): Duplex {
  const { Duplex: NodeDuplex } = require('node:stream') as typeof Stream;
  const duplex = new NodeDuplex({
    allowHalfOpen,
    readableObjectMode: true,
    read() {
      const returned = connection.takeReturned();
      if (returned !== undefined) {
        this.push(returned);
        return;
      }
      connection
        .receive()
        .then((packet) => this.push(packet))
        .catch((error: Error) => this.destroy(error));
    },
    write(chunk: Buffer, _encoding, callback) {
      connection.send(chunk).then(() => callback(), callback);
    },
    final(callback) {
      connection.end().then(() => callback(), callback);
    },
  });
  return joined(connection, duplex);
}

/** Web streams over both directions; the connection is closed with the second of them. */
export function webStreamsOf(connection: Connection): {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array | string>;
} {
  let open = 2;
  const half = (): { closed: boolean; done: () => void } => ({
    closed: false,
    done() {
      if (this.closed) return;
      this.closed = true;
      open -= 1;
      if (open === 0) connection.close();
    },
  });
  const reading = half();
  const writing = half();
  const reader: ByteReader = {
    get closed() {
      return reading.closed || connection.closed;
    },
    read: (options) => connection.read(options),
    tryRead: (options) => connection.tryRead(options),
    close() {
      if (!this.closed && open === 2) connection.shutdown(SHUT_RD);
      reading.done();
    },
    [Symbol.dispose]() {
      this.close();
    },
  };
  const writer: ByteWriter = {
    get closed() {
      return writing.closed || connection.closed;
    },
    write: (data, options) => connection.write(data, options),
    tryWrite: (data) => connection.tryWrite(data),
    close() {
      if (!this.closed && open === 2) connection.end().catch(() => {});
      writing.done();
    },
    [Symbol.dispose]() {
      this.close();
    },
  };
  return { readable: webReadableOf(reader), writable: webWritableOf(writer) };
}
