// What the kernel tells of others: files below /proc, records, memory and the names of sockets.
import { livenessOf, ownIdentity } from '../../../packages/core/src/kit.ts';
import { recordAt } from '../../../packages/core/src/name-records.ts';
import { listPosix } from '../../../packages/mq/src/posix-list.ts';
import { listSysv as listQueues } from '../../../packages/mq/src/sysv-status.ts';
import {
  isLock,
  LOCK_BYTES,
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
import { peerCredentials, PeerProcess } from '../../../packages/socket/src/peer.ts';
import { Place } from '../../../packages/socket/src/place.ts';
import { decodeAddress, encodeAddress } from '../../../packages/socket/src/sockaddr.ts';
import { asFiles, attempt, isNumber, must } from './checking.mjs';
import { binding } from './fake-binding.mjs';

function socketNames(bytes) {
  const address = decodeAddress(bytes, bytes.length);
  if (address === null || 'path' in address) return;
  attempt(() => encodeAddress(address));
}

/** As short inputs have it: the rest of the memory is zeroes. */
function memoryOf(bytes) {
  const memory = Buffer.alloc(Math.max(LOCK_BYTES, bytes.length));
  bytes.copy(memory);
  return memory;
}

function memoryHeaders(bytes) {
  const isThere = () => false;
  for (const memory of [bytes, memoryOf(bytes)]) {
    readHeader(memory, (at, length) => memory.subarray(at, Math.min(at + length, memory.length)));
    for (const kind of LOCK_KINDS) {
      lockState(memory, kind, isThere);
      if (isLock(memory, kind)) nameInLock(memory, kind);
    }
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

/** What /proc/sysvipc has is told line by line, whatever its fields are. */
function sysvFiles(bytes) {
  asFiles(bytes, () => {
    const native = { sysvStat: () => -22 };
    for (const { id, key, mode, lastSender } of listQueues(native)) {
      must(isNumber(id) && isNumber(key) && !(mode > 0o777), 'a queue has numbers');
      must(lastSender === null || isNumber(lastSender.pid), 'a process has a number');
    }
    for (const { id, mode } of listSets())
      must(isNumber(id) && !(mode > 0o777), 'a set has numbers');
    for (const { id, mappedBy } of listSegments({ holders: false })) {
      must(isNumber(id) && mappedBy.length === 0, 'a segment has numbers');
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
  const liveness = livenessOf(record.owner);
  must(['alive', 'dead', 'unknown'].includes(liveness), 'an owner lives, or not');
}

/** The queues that are listed, wherever they are mounted and whoever has them. */
function posixQueues(bytes) {
  asFiles(bytes, () => {
    for (const { name, holders, bytes: used, notifyPid } of listPosix()) {
      must(name.startsWith('/') && name.length > 1, 'a queue has a name');
      must(holders.every(Number.isInteger), 'who has it has a number');
      must(used === null || isNumber(used), 'its bytes are a number, or unknown');
      must(notifyPid === null || notifyPid > 0, 'who is told has a number, or nobody is');
    }
  });
}

/** Who is at a socket's other end, and who has its path. */
function socketEnds(bytes) {
  const end = { binding: binding(), fd: 9, domain: 1, type: 1, target: '/run/x' };
  asFiles(bytes, () => {
    const process = attempt(() => PeerProcess.of(end));
    must(process === undefined || isNumber(process.pid), 'a peer has a number');
    process?.close();
    const peer = attempt(() => peerCredentials(end.fd)) ?? null;
    must(peer === null || (peer.pid >= 0 && peer.uid >= 0 && peer.gid >= 0), 'so has its user');
    const options = { mode: 0o600, reclaim: true };
    attempt(() => Place.bind(end, { path: '/run/x' }, options))?.release();
  });
}

/** Memory with these words of 32 bits, at these places. */
function words(places) {
  const size = 4 + Math.max(...Object.keys(places).map(Number));
  const bytes = Buffer.alloc(size);
  for (const [at, word] of Object.entries(places)) bytes.writeUInt32LE(word, Number(at));
  return bytes;
}

/** A lock that somebody holds, of a number: its magic, its kind, and a slot that is used. */
const lock = (kind) =>
  words({
    0: 0x8000_0001,
    4: 1,
    12: 1,
    16: 0x4c50_494f,
    20: kind,
    40: 2,
    44: 1,
    48: 1,
    64: 1,
    68: 1,
  });

export const KERNEL = {
  'memory headers': {
    mechanism: 'shm',
    check: memoryHeaders,
    seeds: [
      // A ring with seats, one of them taken by process 1; a broadcast with a record; a value that is being set.
      words({
        0: 0x474e_524f,
        4: 1,
        16: 4096,
        20: 1024,
        28: 2,
        64: 9,
        512: 1,
        576: 1,
        580: 1 << 22,
      }),
      words({ 0: 0x5443_424f, 4: 1, 16: 4096, 20: 1024, 128: 8, 512: 1, 4108: 1, 4112: 5 }),
      words({ 0: 0x4c41_564f, 4: 1, 20: 64, 128: 3, 512: 1, 516: 1 << 22 }),
      ...[0x101, 0x102, 0x103, 0x104].map((kind) => lock(kind)),
      words({ 0: 0x3fff_ffff, 16: 0x4c50_494f, 20: 0x101 }),
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
      JSON.stringify({ kind: 'shm', name: '/x', owner: ownIdentity(), object: { dev: 1, ino: 2 } }),
      JSON.stringify({ kind: 'mq', name: '/x', owner: { ...ownIdentity(), pid: 1 }, object: null }),
      '{"kind":1}',
      '[]',
    ].map((each) => Buffer.from(each)),
  },
  'POSIX queues': {
    mechanism: 'mq',
    check: posixQueues,
    seeds: [
      'mqueue /dev/mqueue mqueue rw 0 0\n',
      'a /dev/\\040x mqueue rw 0 0\nQSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260\n',
      '/jobs\n12\n1\n',
    ].map((each) => Buffer.from(each)),
  },
  'socket ends': {
    mechanism: 'socket',
    check: socketEnds,
    seeds: [
      'pos:\t0\nflags:\t02000002\nPid:\t12\nNSpid:\t12\n',
      'Pid:\t-1\n',
      '0000000000000000: 00000002 00000000 00010000 0001 01 1234 /run/x\n',
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
};
