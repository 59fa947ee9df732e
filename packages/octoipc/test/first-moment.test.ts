import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { home, node } from './command.js';
import { folder, lacks, uniqueName } from './objects.js';

const fixture = join(import.meta.dirname, 'fixtures', 'first-moment.mjs');

/** What the fixture says. */
interface Said {
  readonly modes: Readonly<Record<string, string>>;
  readonly open: readonly string[];
}

/** The kinds of objects that have a name, as the fixture makes them. */
const KINDS = [
  'mkfifo openReader PosixQueue SysvQueue PosixSemaphore SysvSemaphoreSet Mutex RwLock Condition Barrier',
  'SharedMemory SharedMemory.file SysvSharedMemory ShmRing ShmBroadcast ShmValue listen Datagram.bind temporary',
]
  .flatMap((line) => line.split(' '))
  .concat('listen, reclaim');

test('every kind of object has mode 0600 by default where the umask takes nothing away; no descriptor is inherited', async () => {
  const { stdout, stderr } = await node(fixture, folder(), uniqueName());
  expect(stderr, stderr).toBe('');
  const { modes, open } = JSON.parse(stdout) as Said;
  expect(modes).toEqual(Object.fromEntries(KINDS.map((kind) => [kind, '600'])));
  expect(open).toEqual([]);
});

/** Calls that make an object with a mode, or change one; what else makes a file is told by its flags. */
const MAKING = ['mknod', 'mknodat', 'mkdir', 'mkdirat', 'chmod', 'fchmod', 'fchmodat', 'fchmodat2'];
const OPENING = ['open', 'openat', 'mq_open'];
const SYSV = ['msgget', 'semget', 'shmget'];
/** Calls that give a descriptor, and the flag which makes it close-on-exec from birth. */
const GIVING = [
  'socket socketpair accept accept4 pipe pipe2 memfd_create eventfd eventfd2 epoll_create epoll_create1',
  'signalfd signalfd4 inotify_init1 timerfd_create dup dup2 dup3 recvmsg recvmmsg fcntl',
].flatMap((line) => line.split(' '));
const CLOSING = /O_CLOEXEC|SOCK_CLOEXEC|[A-Z]+_CLOEXEC/;

interface Call {
  readonly name: string;
  readonly args: string;
  readonly line: string;
}

/** What one thread did, from its strace; nothing if it is another program's, which becomes that by execve(2). */
function callsOf(path: string): Call[] {
  const text = readFileSync(path, 'latin1');
  const began = text.indexOf('/octoipc-kind/begin');
  if (began < 0 && text.includes('execve(')) return [];
  return text
    .slice(Math.max(0, began))
    .split('\n')
    .flatMap((line) => {
      // What failed has made nothing.
      const [, name, args] = /^(\w+)\((.*)\) += (?!-1 E)/.exec(line) ?? [];
      return name === undefined || args === undefined ? [] : [{ name, args, line }];
    });
}

/** The permission bits that a call gives; undefined if it makes nothing. */
function givenMode({ name, args }: Call): number | undefined {
  const made =
    MAKING.includes(name) ||
    (OPENING.includes(name) && /O_CREAT|O_TMPFILE/.test(args)) ||
    (SYSV.includes(name) && args.includes('IPC_CREAT'));
  // Files of no descriptor, and flags, have no number of such a form.
  return made ? Number.parseInt(/.*[ |]0([0-7]{3})\b/.exec(args)?.[1] ?? '777', 8) : undefined;
}

/** Whether a call gives a descriptor that a child would inherit until somebody sees to it. */
function gives({ name, args }: Call): boolean {
  if (CLOSING.test(args)) return false;
  if (OPENING.includes(name)) return true;
  if (!GIVING.includes(name)) return false;
  if (name === 'fcntl') return args.includes('F_DUPFD');
  return !name.startsWith('recv') || args.includes('SCM_RIGHTS');
}

/** Sockets that got a path before their mode was limited. */
function openSockets(calls: readonly Call[]): string[] {
  const limited = new Set<string>();
  return calls.flatMap(({ name, args, line }) => {
    const fd = /^\d+/.exec(args)?.[0] ?? '';
    if (name === 'fchmod') limited.add(fd);
    const isOpen = name === 'bind' && /sun_path="/.test(args) && !limited.has(fd);
    if (name === 'bind') limited.delete(fd);
    return isOpen ? [line] : [];
  });
}

const why = lacks('strace');
if (why !== undefined) console.log(`system calls are not traced: ${why}`);

test.skipIf(why !== undefined)(
  `every kind of object is its owner's alone, and every descriptor close-on-exec, from the call that makes it (${why ?? 'traced'})`,
  () => {
    const traces = mkdtempSync(join(tmpdir(), 'octoipc-trace-'));
    onTestFinished(() => rmSync(traces, { recursive: true }));
    const names = ['execve', 'bind', ...MAKING, ...OPENING, ...SYSV, ...GIVING];
    // A call that this machine does not have is no error with a question mark.
    const traced = names.map((name) => `?${name}`).join(',');
    const args = ['-ff', '-qq', '-s', '200', '-o', join(traces, 't'), '-e', `trace=${traced}`];
    const program = [process.execPath, fixture, folder(), uniqueName()];
    const { stdout, stderr } = spawnSync('strace', [...args, ...program], {
      cwd: home,
      encoding: 'utf8',
    });
    expect(stderr, stderr).toBe('');
    expect(Object.keys((JSON.parse(stdout) as Said).modes).toSorted()).toEqual(KINDS.toSorted());
    const threads = readdirSync(traces).map((file) => callsOf(join(traces, file)));
    const calls = threads.flat();
    const modes = calls.flatMap((call) => givenMode(call) ?? []);
    expect(modes.length).toBeGreaterThanOrEqual(KINDS.length);
    const open = calls.filter((call) => ((givenMode(call) ?? 0) & 0o077) !== 0);
    expect(open.map(({ line }) => line)).toEqual([]);
    expect(threads.flatMap(openSockets)).toEqual([]);
    expect(calls.filter(gives).map(({ line }) => line)).toEqual([]);
    expect(calls.filter(({ name }) => GIVING.includes(name)).length).toBeGreaterThan(20);
  },
);
