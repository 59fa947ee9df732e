// Runs before the first test file and after the last one, and looks after all of them together: left-behind.ts sees
// no file whose process was ended or has crashed, and nobody's children once they are nobody's.
//
// Other programs, and other runs of these tests, are on the same machine at the same time, and pids come around again.
// So only that is judged which this run has marked: files in a TMPDIR of its own, processes with its mark in their
// environment, and of processes of tests that have died, before anybody has looked after them, objects with their pid
// that are younger than they. A socket that is bound goes with its process, or is a file.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

/** Milliseconds for what was ended to be gone. */
const PATIENCE = 30_000;
const PAUSE = 50;

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // There is none, it is somebody else's, or it is gone.
  }
};
const entriesOf = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

/** The folder in which each process of tests has a file that is named by its pid, until it has looked after itself. */
const testersOf = (folder: string): string => join(folder, 'testers');

/** The processes of tests that have died, with the time at which each began. */
function testers(folder: string): Map<string, number> {
  const began = entriesOf(testersOf(folder)).map(
    (pid) => [pid, statSync(join(testersOf(folder), pid)).mtimeMs] as const,
  );
  // What has its pid now, if anything, is another one.
  return new Map(began.filter(([pid]) => textOf(`/proc/${pid}/stat`) === ''));
}

const parentOf = (pid: string): string =>
  /\) \S (\d+)/.exec(textOf(`/proc/${pid}/stat`))?.[1] ?? '0';

/** Whether it comes from this process, and so ends with its worker. */
function isOurs(pid: string): boolean {
  for (let each = pid; each !== '0' && each !== ''; each = parentOf(each)) {
    if (each === String(process.pid)) return true;
  }
  return false;
}

/** Processes that were started by tests, and that nobody will end. */
function processes(mark: string): string[] {
  return entriesOf('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => textOf(`/proc/${pid}/environ`).split('\0').includes(mark) && !isOurs(pid))
    .map((pid) => [pid, textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')])
    .filter(([, command]) => command !== '')
    .map(([pid, command]) => `process ${pid}: ${command}`);
}

const files = (folder: string): string[] =>
  entriesOf(join(folder, 'tmp'))
    .filter((name) => name.startsWith('octoipc'))
    .map((name) => `file ${name}`);

/** Names with the pid of such a process in them, as tests give them, which came after it. */
function names(began: Map<string, number>): string[] {
  const folders = ['/dev/shm', `/dev/shm/octoipc-${process.geteuid?.()}`, '/dev/mqueue'];
  return folders.flatMap((folder) =>
    entriesOf(folder)
      .filter((name) => {
        // The number that comes first is the pid.
        const start = began.get(/(?<=[-.])\d+(?=[-.]|$)/.exec(name)?.[0] ?? '');
        const { birthtimeMs, ctimeMs } =
          statSync(join(folder, name), { throwIfNoEntry: false }) ?? {};
        const born = birthtimeMs || ctimeMs;
        return start !== undefined && born !== undefined && born >= start;
      })
      .map((name) => `name ${folder}/${name}`),
  );
}

/** System V queues that were made since, by their last sender, and memory, by its maker; a set of semaphores tells none. */
function systemV(began: Map<string, number>): string[] {
  const columns = [
    ['msg', 5],
    ['shm', 4],
  ] as const;
  return columns.flatMap(([kind, pid]) =>
    textOf(`/proc/sysvipc/${kind}`)
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => {
        const start = began.get(fields[pid] ?? '');
        // Of either kind the time of its making, or change, in whole seconds.
        return start !== undefined && (Number(fields[13]) + 1) * 1000 > start;
      })
      .map((fields) => `System V ${kind} ${fields[1]}`),
  );
}

/** Begins a run, unless one has begun in this process: each project asks for it. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { env } = process;
  if (env['OCTOIPC_RUN']?.startsWith(`${process.pid}:`) === true) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-run-'));
  mkdirSync(testersOf(folder));
  // As open as the folder that it stands in for: to other users, too.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'tmp'));
  chmodSync(join(folder, 'tmp'), 0o1777);
  const before = env['TMPDIR'];
  env['OCTOIPC_RUN'] = `${process.pid}:${folder}`;
  env['OCTOIPC_TESTERS'] = testersOf(folder);
  env['TMPDIR'] = join(folder, 'tmp');
  const mark = `OCTOIPC_RUN=${env['OCTOIPC_RUN']}`;
  // A file of which no test is wanted is loaded, and never told that it is over.
  const isPartial = project.vitest.config.testNamePattern !== undefined;

  const left = (): string[] => {
    const began = testers(folder);
    return [
      ...processes(mark),
      ...(isPartial ? [] : files(folder)),
      ...names(began),
      ...systemV(began),
    ];
  };

  return async () => {
    const end = performance.now() + PATIENCE;
    let rest = left();
    while (rest.length > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      rest = left();
    }
    delete env['OCTOIPC_RUN'];
    delete env['OCTOIPC_TESTERS'];
    if (before === undefined) delete env['TMPDIR'];
    else env['TMPDIR'] = before;
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // What cannot be removed is among the rest.
    }
    if (rest.length === 0) return;
    // Of an error alone vitest tells, and ends well.
    process.exitCode = 1;
    throw new Error(`the run has left behind: ${rest.join(', ')}`);
  };
}
