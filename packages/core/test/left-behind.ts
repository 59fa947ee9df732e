// Runs before each test file of every package, and looks after it: whatever the file has left behind
// fails it. What exists once in a process and goes with it is allowed, and named here.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { afterAll } from 'vitest';

/** Milliseconds for what was ended to be gone. */
const PATIENCE = 5_000;

/** Made once by libuv, and by the poller thread and the waiting threads of a binding. */
const ONCE = /^anon_inode:\[(eventpoll|eventfd|timerfd|io_uring)\]$|^\/dev\/null$/;
/** The pipe by which libuv is told of signals, made with the first child or handler: two ends. */
const SIGNAL_PIPE = 2;
/** What rings of this process are waited on by, made once. */
const BELL = /^descriptor \d+: socket:/;
/** libuv's pool, the poller threads of the bindings, and V8's own, which come late. */
const THREADS = 12;
/** SIGCHLD stays with libuv from the first child on, SIGBUS with shared memory from the first mapping on. */
const STAYING = (1n << 16n) | (1n << 6n);
/** Signals 32 and 33 are the C library's own, for threads that are cancelled and for setuid(2). */
const LIBRARY = (1n << 31n) | (1n << 32n);
/**
 * SIGRTMAX - 1: each binding has a signal by which it gets its waiting threads out of system calls, which stays. It is
 * the highest one at its default, from this one down: waiting_thread.h.
 */
const WAKING = 63;

const linesOf = (path: string): string[] => {
  try {
    return readFileSync(path, 'latin1').split('\n');
  } catch {
    return []; // The kernel has no such table, or no such process any more.
  }
};

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return ONCE.test(target) ? [] : [`descriptor ${fd}: ${target}`];
    } catch {
      return []; // The one that the folder was read by.
    }
  });
}

function children(): string[] {
  return readdirSync('/proc/self/task')
    .flatMap((task) => linesOf(`/proc/self/task/${task}/children`))
    .flatMap((line) => line.split(' ').filter(Boolean))
    .map(
      (pid) => `child ${pid}: ${linesOf(`/proc/${pid}/cmdline`).join('').replaceAll('\0', ' ')}`,
    );
}

/** Mappings of objects, as opposed to those of V8; each once. */
function mappings(): string[] {
  const objects = linesOf('/proc/self/maps').filter((line) =>
    /\/dev\/shm|\/SYSV|\/memfd:/.test(line),
  );
  return objects.map((line) => `mapping ${line}`);
}

/** Names with this process's pid in them, as tests give them. */
function names(): string[] {
  const own = new RegExp(`[-.]${process.pid}([-.]|$)`);
  const folders = ['/dev/shm', `/dev/shm/octoipc-${process.geteuid?.()}`, '/dev/mqueue'];
  return folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => own.test(name))
          .map((name) => `name ${folder}/${name}`)
      : [],
  );
}

/** POSIX queues with this process's pid in their names, where no mqueue is mounted; root can mount one for a moment. */
function unmountedQueues(): string[] {
  const used = linesOf('/proc/self/maps').some((line) => /\/mq\.node\b/.test(line));
  const mounted = linesOf('/proc/self/mounts').some((line) => / \/dev\/mqueue mqueue /.test(line));
  if (!used || mounted || process.geteuid?.() !== 0) return [];
  const { status, stdout } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', 'mount -t mqueue none /mnt && ls /mnt'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  if (status !== 0) return [];
  const own = new RegExp(`[-.]${process.pid}([-.]|$)`);
  return stdout
    .split('\n')
    .filter((name) => own.test(name))
    .map((name) => `queue /${name}`);
}

/** System V objects that this process made, or used last, as far as the kernel tells that. */
function systemV(): string[] {
  const pid = String(process.pid);
  return [
    ['msg', 5],
    ['shm', 4],
  ].flatMap(([kind, column]) =>
    linesOf(`/proc/sysvipc/${kind}`)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[Number(column)] === pid)
      .map((fields) => `System V ${kind} ${fields[1]}`),
  );
}

const sets = (): string[] =>
  linesOf('/proc/sysvipc/sem').flatMap((line) => /^\s*-?\d+\s+(\d+)/.exec(line)?.[1] ?? []);

/**
 * Sets of semaphores that are new, and of which this process was the last to change one: the kernel keeps no maker of a
 * set, and that process only in the set itself.
 */
function semaphores(): string[] {
  const added = sets().filter((id) => !setsBefore.has(id));
  if (added.length === 0) return [];
  return added
    .filter((id) => {
      const { stdout } = spawnSync('ipcs', ['-s', '-i', id], {
        encoding: 'utf8',
        env: { ...process.env, LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      // A row: semnum, value, ncount, zcount, pid.
      return new RegExp(`^\\d+(\\s+\\d+){3}\\s+${process.pid}$`, 'm').test(
        stdout?.replaceAll(/ +$/gm, '') ?? '',
      );
    })
    .map((id) => `System V sem ${id}`);
}

function boundSockets(): string[] {
  const own = new RegExp(`[-.]${process.pid}[-./]`);
  return linesOf('/proc/net/unix')
    .map((line) => line.split(' ').slice(7).join(' ').trim())
    .filter((path) => own.test(path))
    .map((path) => `socket ${path}`);
}

/** Signals with a handler, or blocked, beside those that the runtime has for itself. */
function handlers(): string[] {
  const status = linesOf('/proc/self/status');
  return ['SigBlk', 'SigCgt'].flatMap((field) => {
    const line = status.find((each) => each.startsWith(field)) ?? '';
    const mask = BigInt(`0x${line.split(/\s+/)[1] || '0'}`) & ~STAYING & ~LIBRARY;
    return Array.from({ length: 64 }, (_, index) => index)
      .filter((bit) => (mask >> BigInt(bit)) & 1n)
      .map((bit) => `${field} of signal ${bit + 1}`);
  });
}

/** Those of them by which the bindings that are loaded can wake their threads: one each, near the highest. */
function waking(): string[] {
  const bindings = new Set(
    linesOf('/proc/self/maps').flatMap((line) => /\/\S+\.node$/.exec(line) ?? []),
  ).size;
  // A test may have had a few of the highest when a binding asked.
  const candidates = Array.from(
    { length: 2 * bindings },
    (_, i) => `SigCgt of signal ${WAKING - i}`,
  );
  const caught = new Set(handlers());
  return candidates.filter((one) => caught.has(one) && !before.has(one)).slice(0, bindings);
}

const look = (): string[] => [
  ...descriptors(),
  ...children(),
  ...mappings(),
  ...names(),
  ...systemV(),
  ...semaphores(),
  ...boundSockets(),
  ...handlers(),
];

const threads = (): number => readdirSync('/proc/self/task').length;

// As long as this file is there nobody has looked after this process: run-left-behind.ts does, should it die.
const testers = process.env['OCTOIPC_TESTERS'];
const begun = testers === undefined ? undefined : join(testers, String(process.pid));
if (begun !== undefined) writeFileSync(begun, '');

const setsBefore = new Set(sets());
const before = new Set(look());
const threadsBefore = threads();

function left(): string[] {
  const added = look().filter((one) => !before.has(one));
  const pipes = added.filter((one) => /^descriptor \d+: pipe:/.test(one));
  const bells = added.filter((one) => BELL.test(one)).slice(0, 1);
  const wakers = waking();
  const more = threads() - threadsBefore;
  return [
    ...added.filter(
      (one) =>
        !bells.includes(one) &&
        !wakers.includes(one) &&
        (pipes.length > SIGNAL_PIPE || !pipes.includes(one)),
    ),
    ...(more > THREADS ? [`${more} threads`] : []),
  ];
}

afterAll(async () => {
  const end = performance.now() + PATIENCE;
  while (left().length > 0 && performance.now() < end) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const rest = [...left(), ...unmountedQueues()];
  if (begun !== undefined) rmSync(begun, { force: true });
  if (rest.length > 0) throw new Error(`the file has left behind: ${rest.join(', ')}`);
});
