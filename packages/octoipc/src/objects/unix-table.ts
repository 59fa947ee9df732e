import { readFileSync } from 'node:fs';

/** A Unix socket, as the kernel tells everybody. */
export interface UnixSocketLine {
  readonly inode: number;
  readonly type: 'stream' | 'dgram' | 'seqpacket';
  readonly state: 'listening' | 'connected' | 'connecting' | 'closing' | 'unconnected';
  /** A path, or `@` and an abstract name; undefined where it has none. */
  readonly path: string | undefined;
}

const TYPES: Readonly<Record<number, UnixSocketLine['type']>> = {
  1: 'stream',
  2: 'dgram',
  5: 'seqpacket',
};

const STATES: Readonly<Record<number, UnixSocketLine['state']>> = {
  1: 'unconnected',
  2: 'connecting',
  3: 'connected',
  4: 'closing',
};

/** __SO_ACCEPTCON. */
const LISTENS = 0x10000;

const LINE = /^[\da-f]+: [\da-f]+ [\da-f]+ ([\da-f]+) ([\da-f]+) ([\da-f]+) +(\d+)(?: (.+))?$/is;

/**
 * /proc/net/unix: the Unix sockets of this network namespace.
 *
 * @returns a line for each
 * @see proc_net(5)
 */
export function readUnixSockets(): UnixSocketLine[] {
  return wholeLines(readFileSync('/proc/net/unix', 'utf8')).flatMap((line) => {
    const [, flags, type, state, inode, path] = LINE.exec(line) ?? [];
    if (flags === undefined || type === undefined || state === undefined) return [];
    const listens = (Number.parseInt(flags, 16) & LISTENS) !== 0;
    return {
      inode: Number(inode),
      type: TYPES[Number.parseInt(type, 16)] ?? 'stream',
      state: listens ? 'listening' : (STATES[Number.parseInt(state, 16)] ?? 'unconnected'),
      path,
    };
  });
}

/** Lines, put together again where a path has a line end in it: the kernel prints paths as they are. */
function wholeLines(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.replace(/\n$/, '').split('\n').slice(1)) {
    if (LINE.test(line) || lines.length === 0) lines.push(line);
    else lines.push(`${lines.pop()!}\n${line}`);
  }
  return lines;
}

/** Whether a server takes connections there. */
export function isListening({ state }: UnixSocketLine): boolean {
  return state === 'listening';
}

/** Whether a socket has its name for others to reach it by: what a server has accepted only shares that of the server. */
export function isBound({ type, state }: UnixSocketLine): boolean {
  return type === 'dgram' || state === 'listening' || state === 'unconnected';
}
