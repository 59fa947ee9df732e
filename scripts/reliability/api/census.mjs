// What a process has: descriptors, threads, mappings, children; and names on the machine, which here is its own.
import { readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';

/** The folders of names; within the namespace nobody else has any there. */
const PLACES = ['/dev/shm', '/dev/mqueue'];

function descriptors() {
  const counts = new Map();
  for (const fd of readdirSync('/proc/self/fd')) {
    let target;
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      continue; // The one that read the folder.
    }
    const kind = target.replace(/:\[\d+\]/, '').replace(/\d+/g, 'N');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
}

/** What the children run, and in which state they are. */
export function commandsOfChildren() {
  return childrenOf('self').map((pid) => {
    try {
      const [, state] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(/\) /);
      const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      return `${line} (${state[0]})`;
    } catch {
      return 'gone';
    }
  });
}

/** Counts by kind: `fd …`, `threads`, `mappings`, `children`. */
export function census() {
  const counts = new Map([...descriptors()].map(([kind, count]) => [`fd ${kind}`, count]));
  counts.set('threads', readdirSync('/proc/self/task').length);
  counts.set('children', childrenOf('self').length);
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  counts.set('mappings', maps.filter((line) => /\/dev\/shm|memfd:|SYSV/.test(line)).length);
  return counts;
}

/**
 * What is made at the first wait of each binding, of which there are nine, and stays: a batch may be the first that
 * comes to one of them.
 */
const ONCE = new Map([
  ['fd anon_inode:[eventpoll]', 16],
  ['fd anon_inode:[eventfd]', 16],
  ['fd anon_inode:[io_uring]', 4],
  // Eleven of Node, and those that a binding waits by.
  ['threads', 26],
]);

/** What there is more of than before, and than is made once. */
export function more(before, now) {
  return [...now]
    .filter(([kind, count]) => count > Math.max(before.get(kind) ?? 0, ONCE.get(kind) ?? 0))
    .map(([kind, count]) => `${kind}: ${before.get(kind) ?? 0} before, ${count} now`);
}

/** Temporary names that have outlived their handles, and records of them. */
export function leftNames() {
  return PLACES.flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.includes('temp-'))
      .map((name) => `${place}/${name}`),
  );
}

/** Removes all names, and the files of the batch. */
export function sweep(sysv) {
  for (const place of PLACES) {
    for (const name of readdirSync(place))
      rmSync(`${place}/${name}`, { recursive: true, force: true });
  }
  for (const kind of sysv) {
    for (const { id } of kind.list()) kind.remove(id);
  }
}
