// @ts-check
// Memory objects of @octoipc/shm.
import { c, node, onOneCore } from '../programs.mjs';
import { imported } from '../imported.mjs';
import { sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * @param {string} id
 * @param {string} exercise
 * @param {number} bytes
 * @param {string} title
 * @param {string} other - the exercise in C, and what it does
 * @param {string} name
 * @param {'throughput' | 'time'} kind
 * @param {number} target
 * @returns {import('../compare.mjs').Row}
 */
const row = (id, exercise, bytes, title, other, name, kind, target) => ({
  id,
  title,
  waiting: '-',
  kind,
  unit: kind === 'time' ? 'objects' : 'times',
  ours: node('shm', exercise, bytes),
  against: [{ name, command: c('shm', other, bytes), target }],
});

/**
 * @param {'trips-sync' | 'trips-awaited'} exercise
 * @param {'sleep' | 'loop'} waiting
 * @param {number} target
 * @returns {import('../compare.mjs').Row}
 */
const trips = (exercise, waiting, target) => ({
  id: exercise,
  title: `${exercise === 'trips-sync' ? 'waitSync' : 'await wait'} and notify, there and back`,
  waiting,
  kind: 'time',
  unit: 'trips',
  ours: onOneCore(node('shm', exercise, 4096)),
  against: [{ name: 'C, asleep in futex', command: onOneCore(c('shm', 'trips', 4096)), target }],
});

/** How a reader takes them. */
const RECEIVED = /** @type {const} */ ({
  sync: ['receiveSync', 'sleep'],
  many: ['receiveMany', 'loop'],
});

/**
 * Messages from one publisher to readers, none of whom is overrun.
 *
 * @param {'sync' | 'many'} exercise
 * @param {number} bytes
 * @param {number} readers
 * @returns {import('../compare.mjs').Row}
 */
const broadcast = (exercise, bytes, readers) => ({
  id: `broadcast-${exercise}-${bytes}-${readers}`,
  title: `ShmBroadcast, send → ${RECEIVED[exercise][0]}, ${sizeOf(bytes)}, ${readers === 1 ? '1 reader' : `${readers} readers`}`,
  waiting: RECEIVED[exercise][1],
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('broadcast', exercise, bytes, MIB, readers),
  against: [{ name: 'C, same layout', command: c('broadcast', bytes, MIB, readers) }],
});

export const rows = () => [
  ...[64 * KIB, 16 * MIB].flatMap((bytes) => {
    const size = bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
    return [
      row(
        `fill-${bytes}`,
        'fill',
        bytes,
        `bytes.fill, ${size}`,
        'fill',
        'C memset',
        'throughput',
        0.9,
      ),
      row(
        `read-${bytes}`,
        'read',
        bytes,
        `copy of bytes, ${size}`,
        'read',
        'C memcpy',
        'throughput',
        0.9,
      ),
    ];
  }),
  ...[4 * KIB, MIB].flatMap((bytes) => {
    const size = bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
    const target = bytes >= MIB ? 1.5 : 2;
    /** @type {[string, string, string][]} */
    const ways = [
      ['open', `memfd, a store, close, ${size}`, 'C memfd_create … close'],
      ['posix', `open({ create }), a store, close, unlink, ${size}`, 'C open … unlink'],
      ['attach', `open, a load, close, ${size}`, 'C open, mmap … close'],
    ];
    return ways.map(([how, title, name]) =>
      row(`${how}-${bytes}`, how, bytes, title, how, name, 'time', target),
    );
  }),
  .../** @type {const} */ ([
    ['broadcast', 17 * 4 * KIB, 'ShmBroadcast.attach(name).close(), 64 KiB', 'attach'],
    ['value', 4 * KIB + 256, 'ShmValue.attach(name).close(), 64 B', 'attach'],
    ['sysv', 4 * KIB, 'SysvSharedMemory.open(key), a load, close, 4 KiB', 'sysv'],
    ['file', 4 * KIB, 'SharedMemory.file(path), a load, close, 4 KiB', 'file'],
  ]).map(([how, bytes, title, other]) => {
    const name = how === 'sysv' ? 'C shmget, shmat … shmdt' : 'C open, mmap … close';
    return row(`open-${how}`, how, bytes, title, other, name, 'time', 2);
  }),
  trips('trips-sync', 'sleep', 1.3),
  trips('trips-awaited', 'loop', 4.5),
  ...[64, 4 * KIB].flatMap((bytes) =>
    [1, 4].flatMap((readers) => [
      broadcast('sync', bytes, readers),
      broadcast('many', bytes, readers),
    ]),
  ),
  imported('@octoipc/shm'),
];
