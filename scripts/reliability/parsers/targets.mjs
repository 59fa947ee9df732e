// The parsers of bytes that others wrote, each with what must hold for any of them. Bundled with the sources.
import { spawnSync } from 'node:child_process';

import {
  frameReceiver,
  IpcError,
  json,
  structured,
  text,
} from '../../../packages/core/src/index.ts';
import { livenessOf, ownIdentity } from '../../../packages/core/src/kit.ts';
import { recordAt } from '../../../packages/core/src/name-records.ts';
import { listSysv as listQueues } from '../../../packages/mq/src/sysv-status.ts';
import { framesOf, linesOf } from '../../../packages/octoipc/src/command/messages-in.ts';
import { printable } from '../../../packages/octoipc/src/command/printable.ts';
import {
  AddressError,
  decodeName,
  encodeName,
  parseAddress,
} from '../../../packages/octoipc/src/objects/address.ts';
import {
  isLock,
  lockState,
  LOCK_KINDS,
  nameInLock,
} from '../../../packages/octoipc/src/objects/lock-file.ts';
import { processInfo } from '../../../packages/octoipc/src/objects/process-info.ts';
import { readHeader } from '../../../packages/octoipc/src/objects/shared-header.ts';
import { readUnixSockets } from '../../../packages/octoipc/src/objects/unix-table.ts';
import { listSets } from '../../../packages/sem/src/sysv-status.ts';
import { heldObjects } from '../../../packages/shm/src/holders.ts';
import { listMemory } from '../../../packages/shm/src/list.ts';
import { listSysv as listSegments } from '../../../packages/shm/src/sysv-status.ts';
import { quotedLine } from '../../../packages/popen/src/quote.ts';
import { parseAddress as parseSocketAddress } from '../../../packages/socket/src/address.ts';
import { decodeAddress, encodeAddress } from '../../../packages/socket/src/sockaddr.ts';
import { foreign } from './fake-fs.mjs';

/** A promise of the parser's that breaks. */
export class Broken extends Error {}

function must(condition, promise) {
  if (!condition) throw new Broken(promise);
}

/** What may be thrown: a typed error. */
function typed(error, ...more) {
  if (error instanceof IpcError || more.some((each) => error instanceof each)) return;
  if (String(error?.code).startsWith('ERR_')) return;
  throw error;
}

function attempt(work, ...more) {
  try {
    return work();
  } catch (error) {
    typed(error, ...more);
    return undefined;
  }
}

/** The input as files below /proc would have it. */
function asFiles(bytes, work) {
  foreign.bytes = bytes;
  foreign.reads = 0;
  try {
    const result = work();
    must(foreign.reads > 0, 'what is fuzzed is read');
    return result;
  } finally {
    foreign.bytes = undefined;
  }
}

/** A stream that gives the bytes in pieces, which the first of them decide. */
function pieces(bytes) {
  const size = 1 + ((bytes[0] ?? 0) % 17);
  const chunks = [];
  for (let at = 0; at < bytes.length; at += size)
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
  return chunks;
}

class Reader {
  closed = false;
  #chunks;

  constructor(chunks) {
    this.#chunks = chunks;
  }

  tryRead({ into, maxBytes = 65_536 } = {}) {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    const length = Math.min(into?.length ?? maxBytes, maxBytes, chunk.length);
    if (length < chunk.length) this.#chunks.unshift(chunk.subarray(length));
    if (into === undefined) return chunk.subarray(0, length);
    chunk.copy(into, 0, 0, length);
    return into.subarray(0, length);
  }

  async read(options) {
    return this.tryRead(options);
  }

  close() {
    this.closed = true;
  }
}

/** What frames are, in the fewest words. */
function framesIn(bytes, most) {
  const messages = [];
  for (let at = 0; ;) {
    if (at === bytes.length) return { messages, end: 'end' };
    if (at + 4 > bytes.length) return { messages, end: 'ERR_TRUNCATED' };
    const length = bytes.readUInt32LE(at);
    if (length > most) return { messages, end: 'EMSGSIZE' };
    if (at + 4 + length > bytes.length) return { messages, end: 'ERR_TRUNCATED' };
    messages.push(bytes.subarray(at + 4, at + 4 + length).toString('hex'));
    at += 4 + length;
  }
}

async function collect(next) {
  const messages = [];
  try {
    for (;;) {
      const message = await next();
      if (message === null) return { messages, end: 'end' };
      messages.push(Buffer.from(message).toString('hex'));
    }
  } catch (error) {
    typed(error);
    return { messages, end: error.code };
  }
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function frames(bytes) {
  const receiver = frameReceiver(new Reader(pieces(bytes)), { maxMessageSize: 300 });
  must(
    same(await collect(() => receiver.receive()), framesIn(bytes, 300)),
    'frames are what their bytes say',
  );
}

async function commandFrames(bytes) {
  const iterator = framesOf(
    (async function* () {
      yield* pieces(bytes);
    })(),
  );
  const got = await collect(async () => {
    const { done, value } = await iterator.next();
    return done ? null : value;
  });
  must(same(got, framesIn(bytes, 16 * 1024 * 1024)), 'frames of a file are what its bytes say');
  const lines = [];
  for await (const line of linesOf(
    (async function* () {
      yield* pieces(bytes);
    })(),
  ))
    lines.push(line.toString('hex'));
  const wanted = bytes.length === 0 ? [] : bytes.toString('latin1').replace(/\n$/, '').split('\n');
  must(
    same(
      lines,
      wanted.map((line) => Buffer.from(line, 'latin1').toString('hex')),
    ),
    'lines are split at their ends',
  );
}

/** Shells are asked now and then, and whenever something new was reached. */
let asked = 0;

function shellQuoting(bytes, isNew) {
  const [before = '', ...words] = bytes.toString('utf8').replaceAll('\0', '').split('\u001f');
  const literals = ["printf '%s\\0' ", ...words.map(() => ' ')];
  const line = attempt(() => quotedLine(literals, words));
  attempt(() => quotedLine([before, before.slice(1), 'x'], words.slice(0, 2)));
  if (line === undefined || words.length === 0 || (!isNew && (asked += 1) % 200 !== 0)) return;
  const { stdout, error } = spawnSync('/bin/sh', ['-c', line], { env: {} });
  if (error !== undefined) return;
  const wanted = words.map((word) => `${word}\0`).join('');
  must(stdout.equals(Buffer.from(wanted)), 'a quoted word reaches the program as it is');
}

function names(bytes) {
  const given = bytes.toString('utf8');
  attempt(() => parseAddress(given), AddressError);
  attempt(() => parseSocketAddress(given));
  const name = given.replaceAll('\ufffd', '');
  must(decodeName(encodeName(name)) === name, 'a name in a URL comes back as it was');
  // oxlint-disable-next-line no-control-regex
  must(
    !/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(
      printable(given),
    ),
    'nothing unseen reaches a terminal',
  );
  must(
    !/[\ud800-\udfff]/.test(
      printable(bytes.toString('utf16le')).replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''),
    ),
    'no half of a pair reaches a terminal',
  );
}

function socketNames(bytes) {
  const address = decodeAddress(bytes, bytes.length);
  if (address === null || 'path' in address) return;
  attempt(() => encodeAddress(address));
}

function memoryHeaders(bytes) {
  const more = (at, length) => bytes.subarray(at, Math.min(at + length, bytes.length));
  readHeader(bytes, more);
  const nobody = { process: () => undefined };
  for (const kind of LOCK_KINDS) {
    lockState(bytes, kind, nobody);
    if (isLock(bytes, kind)) nameInLock(bytes, kind);
  }
}

function procFiles(bytes) {
  const own = ownIdentity();
  asFiles(bytes, () => {
    for (const { inode } of readUnixSockets())
      must(Number.isInteger(inode), 'an inode is a number');
    processInfo(process.pid);
    must(['alive', 'dead', 'unknown'].includes(livenessOf(own)), 'a process lives, or not');
  });
}

const count = (value) => typeof value === 'number';

/** What /proc/sysvipc has is told line by line, whatever its fields are. */
function sysvFiles(bytes) {
  asFiles(bytes, () => {
    const native = { sysvStat: () => -22 };
    for (const { id, key, mode, lastSender } of listQueues(native)) {
      must(count(id) && count(key) && !(mode > 0o777), 'a queue has numbers');
      must(lastSender === null || count(lastSender.pid), 'a process has a number');
    }
    for (const { id, mode } of listSets()) must(count(id) && !(mode > 0o777), 'a set has numbers');
    for (const { id, mappedBy } of listSegments({ holders: false })) {
      must(count(id) && mappedBy.length === 0, 'a segment has numbers');
    }
  });
}

/** Mappings, open files and mounts are lines that others have a hand in: paths are theirs. */
function mappedFiles(bytes) {
  asFiles(bytes, () => {
    const held = heldObjects({ openUnder: '/dev/shm', sharedOnly: bytes.length % 2 === 0 });
    for (const [key, { path, mappedBy, mappedBytes }] of held) {
      must(key !== '' && typeof path === 'string' && path !== '', 'what is held has a path');
      must(mappedBy.every(Number.isInteger) && mappedBytes >= 0, 'who has it has a number');
    }
    for (const { name, size } of listMemory({ kinds: ['posix', 'memfd', 'file'] })) {
      must(typeof name === 'string' && size >= 0, 'memory has a name and a size');
    }
  });
}

/** A record is one, or is passed over. */
function nameRecords(bytes) {
  const record = asFiles(bytes, () => recordAt('/dev/shm/octoipc-0/x'));
  if (record === undefined) return;
  must(typeof record.kind === 'string', 'a record has a kind');
  must(typeof record.owner.pid === 'number', 'a record has an owner');
}

function codecs(bytes) {
  attempt(() => text.decode(bytes));
  attempt(() => json.decode(bytes), SyntaxError);
  attempt(() => structured.decode(bytes));
}

const header = (word, size = 4096) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(word, 0);
  return bytes;
};

/** Each parser: its package, its check, and inputs to begin with. */
export const targets = {
  frames: { mechanism: 'core', check: frames, seeds: [Buffer.from('\u0001\0\0\0a\u0002\0\0\0bc')] },
  codecs: {
    mechanism: 'core',
    check: codecs,
    seeds: [Buffer.from('{"a":[1,"x"]}'), structured.encode({ a: new Map([[1, new Date(0)]]) })],
  },
  'frames of a file': {
    mechanism: 'octoipc',
    check: commandFrames,
    seeds: [Buffer.from('\u0001\0\0\0a\n')],
  },
  'names and URLs': {
    mechanism: 'octoipc',
    check: names,
    seeds: [
      'mq:/x',
      'sysv-mq:id=5',
      'sysv-sem:0x12',
      'fifo:/a%20b',
      'unix:@x',
      'tcp://[::1]:80',
      'tls://host:1',
    ].map((each) => Buffer.from(each)),
  },
  'memory headers': {
    mechanism: 'shm',
    size: 8192,
    check: memoryHeaders,
    seeds: [
      header(0x474e_524f, 8192),
      header(0x5443_424f, 8192),
      header(0x4c41_564f),
      header(0x4b43_4f4c, 600),
      Buffer.alloc(3),
    ],
  },
  '/proc': {
    mechanism: 'core',
    check: procFiles,
    seeds: [
      'Num RefCount\n0000000000000000: 00000002 00000000 00010000 0001 01 1234 /run/x\n',
      '12 (a b) c) S 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9',
      'btime 5\n',
    ].map((each) => Buffer.from(each)),
  },
  '/proc/sysvipc': {
    mechanism: 'mq',
    check: sysvFiles,
    seeds: [
      'key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime\n 0 5 600 7 1 1 0 0 0 0 0 1 0 1\n',
      'key semid perms nsems uid gid cuid cgid otime ctime\n 305419896 3 1600 2 0 0 0 0 0 9\n',
      'key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n -1 3 3600 64 1 1 1 0 0 0 0 1 1 1 0 0\n',
    ].map((each) => Buffer.from(each)),
  },
  '/proc/PID/maps': {
    mechanism: 'shm',
    check: mappedFiles,
    seeds: [
      '7f00-8f00 rw-s 00000000 00:17 5 /dev/shm/x\n7f00-8f00 r--s 00000000 00:01 9 /memfd:a (deleted)\n',
      '1\n2\n7f00-8f00 rw-s 00001000 00:05 12 /SYSV00000000 (deleted)\n',
      '/dev/shm/#12 (deleted)\n',
    ].map((each) => Buffer.from(each)),
  },
  'name records': {
    mechanism: 'core',
    check: nameRecords,
    seeds: [
      '{"kind":"shm","name":"/x","owner":{"pid":1,"startTime":"5","bootId":"b","pidNamespace":"p"},"identity":{"dev":1,"ino":2}}',
      '{"kind":1}',
      '[]',
    ].map((each) => Buffer.from(each)),
  },
  'socket names': {
    mechanism: 'socket',
    check: socketNames,
    seeds: [
      Buffer.from('\u0001\0/run/x\0'),
      Buffer.from('\u0001\0\0abc'),
      Buffer.from([2, 0, 0, 80, 127, 0, 0, 1]),
      Buffer.from([10, 0, ...Array(26).fill(1)]),
      Buffer.from([40, 0, ...Array(14).fill(2)]),
    ],
  },
  'shell quoting': {
    mechanism: 'popen',
    check: shellQuoting,
    seeds: ["echo \u001fa'b", 'x"\u001f$(id)\u001f`', '<<E\u001f\n', '$((1 \u001f#'].map((each) =>
      Buffer.from(each),
    ),
  },
};
