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
  isOf: () => true,
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
    const own = readdirSync(records).find((file) => file.startsWith(`faults-file.${process.pid}.`));
    const record = JSON.parse(readFileSync(join(records, own), 'utf8'));
    // The same as of one who is dead.
    const left = (name, object, number) => {
      const file = join(records, own.replace(String(process.pid), String(NO_PID + number)));
      scope.add(file, () => existsSync(file) && unlinkSync(file));
      const owner = { ...record.owner, pid: NO_PID + number };
      writeFileSync(file, JSON.stringify({ ...record, name, object, owner }));
      return file;
    };
    writeFileSync(orphan, '');
    const file = left(orphan, fileReaper.identify(orphan), 0);
    // Who died while making ours, or before that: it stays, for somebody else says that it is his.
    left(path, null, 1);
    const report = reap().find(({ name }) => name === orphan || name === file);
    if (report === undefined) throw new Error('reap says nothing of the orphan');
    if (report.removed) same(existsSync(orphan) || existsSync(file), 'false');
    else if (report.kind !== 'record') same(existsSync(orphan) && existsSync(file), 'true');
    same(existsSync(path), 'true');
  }),
};
