import { lstatSync, statSync, type Stats } from 'node:fs';

import { urlOfInode, urlOfName } from './address.js';
import { ownersOf } from './memory.js';
import type { Entry } from './object.js';
import { heldBy, pidsOf, type OpenObject } from './process-table.js';
import type { Surroundings } from './surroundings.js';
import { isBound, isListening, readUnixSockets, type UnixSocketLine } from './unix-table.js';

const DELETED = ' (deleted)';

/**
 * The FIFOs that somebody has open: others are files like any other.
 *
 * @param around - processes
 * @returns an entry for each
 */
export function fifos(around: Surroundings): Entry[] {
  return [...around.processes.files.values()].flatMap((object) => {
    const { status, target } = object;
    if (status?.isFIFO() !== true) return [];
    const deleted = target.endsWith(DELETED) && status.nlink === 0;
    if (!deleted && !isHere(target, status)) return [];
    const name = deleted ? target.slice(0, -DELETED.length) : target;
    return around.judge({
      kind: 'fifo',
      url: deleted ? urlOfInode('fifo', status.ino) : urlOfName('fifo', name),
      name,
      inode: status.ino,
      ...ownersOf(object),
      ...heldBy(object),
      passing: true,
      remarks: deleted ? ['unlinked'] : [],
      details: deleted ? { unlinked: name } : {},
    });
  });
}

/** Whether a path leads to this file here: that of a process in another mount namespace leads elsewhere. */
function isHere(path: string, { dev, ino }: Stats): boolean {
  try {
    const found = lstatSync(path);
    return found.dev === dev && found.ino === ino;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** The anonymous pipes of processes. */
export function pipes(around: Surroundings): Entry[] {
  return [...around.processes.pipes].map(([inode, object]) =>
    around.judge({
      kind: 'pipe',
      url: urlOfInode('pipe', inode),
      inode,
      ...ownersOf(object),
      ...heldBy(object),
      passing: true,
      details: {},
    }),
  );
}

/** The Unix sockets of this network namespace: those of one address together, others one by one. */
export function unixSockets(around: Surroundings): Entry[] {
  const byName = new Map<string, UnixSocketLine[]>();
  const entries: Entry[] = [];
  for (const line of readUnixSockets()) {
    // A relative path was one of whoever bound it, in the folder where that was.
    if (line.path === undefined || !/^[/@]/.test(line.path)) {
      entries.push(unnamedSocket(around, line));
      continue;
    }
    const lines = byName.get(line.path);
    if (lines === undefined) byName.set(line.path, [line]);
    else lines.push(line);
  }
  for (const [path, lines] of byName) entries.push(namedSocket(around, path, lines));
  return entries;
}

function unnamedSocket(around: Surroundings, line: UnixSocketLine): Entry {
  const object = around.processes.sockets.get(line.inode);
  const bound = line.path;
  return around.judge({
    kind: 'unix',
    url: urlOfInode('unix', line.inode),
    inode: line.inode,
    ...ownersOf(object ?? UNKNOWN),
    ...heldBy(object),
    passing: true,
    remarks: [line.type, line.state, ...(bound === undefined ? [] : [`bound to '${bound}'`])],
    details: {
      type: line.type,
      state: line.state,
      sockets: [line.inode],
      ...(bound === undefined ? {} : { bound }),
    },
  });
}

function namedSocket(around: Surroundings, path: string, lines: readonly UnixSocketLine[]): Entry {
  const objects = lines.map(({ inode }) => around.processes.sockets.get(inode));
  const file = path.startsWith('@') ? undefined : statusOf(path);
  const first = lines.find(isListening) ?? lines[0]!;
  const owner = objects.find((object) => object !== undefined) ?? UNKNOWN;
  const connections = lines.filter(({ state }) => state === 'connected').length;
  return around.judge({
    kind: 'unix',
    url: urlOfName('unix', path),
    name: path,
    ...ownersOf(file ?? owner),
    holders: [...new Set(objects.flatMap(pidsOf))].toSorted((a, b) => a - b),
    uses: objects.flatMap((object) => object?.uses ?? []),
    passing: true,
    remarks: [
      first.type,
      ...(isListening(first) ? ['listening'] : []),
      ...(connections > 0
        ? [connections === 1 ? '1 connection' : `${connections} connections`]
        : []),
    ],
    details: {
      type: first.type,
      listening: isListening(first),
      bound: lines.some(isBound),
      connections,
      sockets: lines.map(({ inode }) => inode),
    },
    counters: { connections },
  });
}

const UNKNOWN: OpenObject = { target: '', status: undefined, uses: [] };

/** A socket's file, whose mode decides who may connect. */
function statusOf(path: string): OpenObject | undefined {
  try {
    const status = statSync(path);
    return status.isSocket() ? { target: path, status, uses: [] } : undefined;
  } catch {
    return undefined;
  }
}
