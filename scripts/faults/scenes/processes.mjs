// Signals, processes and what they leave.
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { later, PATIENT, same, scene } from '../scene.mjs';

/** No process ever has it: it is beyond the kernel's limit. */
const NO_PID = 4_194_305;

/** The end of a program, whatever has failed before. */
const ended = (program) => program.close(PATIENT).catch(() => program.kill('SIGKILL'));

const fileReaper = {
  identify(path) {
    const status = statSync(path, { throwIfNoEntry: false });
    return status === undefined ? null : { dev: status.dev, ino: status.ino };
  },
  remove: unlinkSync,
};

export const PROCESSES = {
  signal: scene(async (scope) => {
    const { send, watch } = await import('@octoipc/signal');
    const watcher = scope.add(watch('SIGRTMIN+3'));
    const next = later(watcher.wait(PATIENT));
    send(process.pid, 'SIGRTMIN+3', { value: 7 });
    same((await next).value, '7');
  }),
  'signal pidfd': scene(async (scope) => {
    const { openProcess } = await import('@octoipc/signal');
    const { popen } = await import('@octoipc/popen');
    const child = popen(['cat'], 'w');
    try {
      const handle = scope.add(openProcess(child.pid));
      const exited = later(handle.exited);
      handle.send('SIGTERM');
      await exited;
      same(handle.alive, 'false');
    } finally {
      await ended(child);
    }
  }),
  popen: scene(async () => {
    const { popen } = await import('@octoipc/popen');
    const child = popen(['cat'], 'r+');
    try {
      await child.write('hello');
      void child.end();
      same(await child.text(), 'hello');
    } finally {
      await ended(child);
    }
  }),
  'popen guarded': scene(async (scope) => {
    const { popen } = await import('@octoipc/popen');
    const child = popen(['cat'], 'r+', {
      dieWithParent: true,
      nice: 1,
      cwd: scope.folder(),
      limits: { core: 0 },
      stderr: 'ignore',
    });
    try {
      await child.write('hello');
      void child.end();
      same(await child.text(), 'hello');
    } finally {
      await ended(child);
    }
  }),
  'popen pipeline': scene(async () => {
    const { pipeline } = await import('@octoipc/popen');
    const line = pipeline([['cat'], ['cat']], 'r+');
    try {
      await line.write('hello');
      void line.end();
      same(await line.text(), 'hello');
    } finally {
      await ended(line);
    }
  }),
  'core reap': scene(async (scope) => {
    const { reap } = await import('@octoipc/core');
    const { registerReaper, Temporary } = await import('@octoipc/core/kit');
    const records = `/dev/shm/octoipc-${process.geteuid()}`;
    registerReaper('faults-file', fileReaper);
    const folder = scope.folder();
    const [path, orphan] = ['own', 'orphan'].map((name) => join(folder, name));
    const made = scope.add(new Temporary('faults-file', path, fileReaper), () => made.end());
    writeFileSync(path, '');
    made.created(fileReaper.identify(path));
    // The same record as of somebody who is dead.
    const own = readdirSync(records).find((file) => file.startsWith(`faults-file.${process.pid}.`));
    const record = JSON.parse(readFileSync(join(records, own), 'utf8'));
    writeFileSync(orphan, '');
    record.name = orphan;
    record.object = fileReaper.identify(orphan);
    record.owner.pid = NO_PID;
    const left = join(records, own.replace(String(process.pid), String(NO_PID)));
    scope.add(left, () => existsSync(left) && unlinkSync(left));
    writeFileSync(left, JSON.stringify(record));
    // Where it cannot be removed, the report is of the record.
    const report = reap().find(({ name }) => name === orphan || name === left);
    if (report.kind === 'record') return;
    same(report.removed, 'true');
    same(existsSync(orphan) || existsSync(left) || !existsSync(path), 'false');
  }),
};
