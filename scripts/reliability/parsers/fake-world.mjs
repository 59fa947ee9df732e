// node:fs for what looks at files as well as reads them: names, numbers and what is refused are of the input too, and
// nothing is ever removed. Links and folders have a line of it each.
import * as fs from 'node:fs';

import { foreign, readFileSync } from './fake-fs.mjs';

export * from 'node:fs';
export { readFileSync };

/** What statfs(2) calls the mqueue file system. */
const MQUEUE_MAGIC = 0x1980_0202;
/** So many numbers are drawn from an input; all that follow are 0, so that nothing is tried for ever. */
const MOST = 300;

let drawnOf;
let drawn = 0;

/** A number below `most`, of the input's bytes in their turn. */
export function lot(most) {
  if (drawnOf !== foreign.bytes) {
    drawnOf = foreign.bytes;
    drawn = 0;
  }
  drawn += 1;
  const { length } = foreign.bytes;
  return length === 0 || drawn > MOST ? 0 : foreign.bytes[(drawn - 1) % length] % most;
}

const lines = () => foreign.bytes.toString('utf8').replaceAll('\0', '').split('\n');

function refusal(code) {
  return Object.assign(new Error(code), { code, errno: -2, syscall: 'stat' });
}

export function statSync(path, options) {
  foreign.reads += 1;
  // What is open is there.
  const isOpen = typeof path === 'number' || path.startsWith('/proc/self/fd/');
  if (!isOpen && lot(8) === 7) {
    if (options?.throwIfNoEntry === false) return undefined;
    throw refusal('ENOENT');
  }
  const kind = lot(2);
  return {
    dev: lot(2),
    ino: lot(2),
    mode: 0o10_0000 | lot(256),
    uid: lot(3),
    gid: lot(3),
    size: lot(256),
    isSocket: () => kind === 0,
  };
}

export const lstatSync = (path, options) => statSync(path, options);
export const fstatSync = (fd) => statSync(fd);

export function statfsSync() {
  foreign.reads += 1;
  if (lot(8) === 7) throw refusal('ENOENT');
  return { type: lot(2) === 0 ? MQUEUE_MAGIC : 0 };
}

export function readlinkSync(path) {
  foreign.reads += 1;
  if (lot(8) === 7) throw refusal('EACCES');
  // Who is in another namespace is passed over at once.
  if (path.endsWith('/ns/ipc') && lot(4) !== 3) return fs.readlinkSync('/proc/self/ns/ipc');
  const all = lines();
  return all[lot(all.length)];
}

/** No name has a NUL, is empty or has a slash. The descriptors of others may not be looked at. */
export function readdirSync(path) {
  foreign.reads += 1;
  if (path.endsWith('/fd') && lot(8) === 7) throw refusal('EACCES');
  return lines()
    .map((line) => line.replaceAll('/', ''))
    .filter((name) => name !== '')
    .slice(0, 4);
}

export function unlinkSync() {
  foreign.reads += 1;
  if (lot(8) === 7) throw refusal('ENOENT');
}
