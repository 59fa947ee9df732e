import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { reap, type ReapReport } from '@octoipc/core';
import {
  reapName,
  registerReaper,
  TemporaryName,
  type Creator,
  type Reaper,
} from '@octoipc/core/kit';
import { describe, expect, it, onTestFinished } from 'vitest';

import { folder, hold, NO_PID, tryHold } from './records.js';

const owner = join(import.meta.dirname, 'fixtures', 'name-owner.mjs');

const identityOf = (path: string): { dev: number; ino: number } | null => {
  if (!existsSync(path)) return null;
  const { dev, ino } = statSync(path);
  return { dev, ino };
};

const reaper: Reaper = { identify: identityOf, remove: unlinkSync };
registerReaper('test-file', reaper);

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'octoipc-reap-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'object');
}

function killed(path: string, when: string): void {
  const { signal, stderr } = spawnSync(process.execPath, [owner, path, when], { encoding: 'utf8' });
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

function reportOf(path: string, reports: readonly ReapReport[]): ReapReport | undefined {
  return reports.find(({ name }) => name === path);
}

describe('reap()', () => {
  it('removes the name of an owner that was killed, and its record', () => {
    const path = newPath();
    killed(path, 'after');
    expect(reportOf(path, reap({ dryRun: true }))).toMatchObject({ removed: true });
    expect(existsSync(path)).toBe(true);
    expect(reportOf(path, reap())).toMatchObject({ kind: 'test-file', removed: true });
    expect(existsSync(path)).toBe(false);
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('keeps nobody from reaping while it only looks, and is told of when somebody else reaps', () => {
    const path = newPath();
    killed(path, 'after');
    const record = readdirSync(folder).find(
      (file) =>
        file.startsWith('test-file.') && readFileSync(join(folder, file), 'utf8').includes(path),
    )!;
    const fd = openSync(join(folder, record), constants.O_RDWR);
    let free: boolean | undefined;
    registerReaper('test-file', {
      ...reaper,
      identify: (name) => {
        // What is free is held from then on, by this descriptor: as by another process that reaps.
        if (name === path) free = tryHold(fd);
        return identityOf(name);
      },
    });
    onTestFinished(() => registerReaper('test-file', reaper));
    expect(reportOf(path, reap({ dryRun: true }))).toMatchObject({ removed: true });
    expect(free).toBe(true);
    const refused = {
      removed: false,
      reason: 'its owner is dead, another process has its record locked',
    };
    expect(reportOf(path, reap({ dryRun: true }))).toMatchObject(refused);
    expect(reportOf(path, reap())).toMatchObject(refused);
    expect(existsSync(path)).toBe(true);
    closeSync(fd);
    expect(reportOf(path, reap())).toMatchObject({ removed: true });
  });

  it('leaves the name of an owner that lives', async () => {
    const path = newPath();
    const child = spawn(process.execPath, [owner, path, 'live'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(reportOf(path, reap())).toMatchObject({ pid: child.pid, removed: false });
    expect(existsSync(path)).toBe(true);
    child.stdin.end();
    await once(child, 'exit');
    expect(existsSync(path)).toBe(false);
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('leaves the name of this process, whose own look at the lock does not free it', () => {
    const path = newPath();
    const name = TemporaryName.claim('test-file', path);
    writeFileSync(path, 'x');
    name.identify(identityOf(path)!);
    reap();
    expect(reportOf(path, reap())).toMatchObject({ pid: process.pid, removed: false });
    expect(existsSync(path)).toBe(true);
    name.release();
    name.release();
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('leaves an object that took over the name of a dead owner’s, and forgets the record', () => {
    const path = newPath();
    killed(path, 'after');
    writeFileSync(`${path}.later`, 'another');
    rmSync(path);
    spawnSync('mv', [`${path}.later`, path]);
    expect(reportOf(path, reap())).toMatchObject({ removed: false });
    expect(existsSync(path)).toBe(true);
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('forgets the record of an owner that was killed before it created anything', () => {
    const path = newPath();
    killed(path, 'before');
    expect(reportOf(path, reap())).toMatchObject({ removed: false });
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('leaves an object of which the owner could not say which one it is', () => {
    const path = newPath();
    killed(path, 'unidentified');
    expect(reportOf(path, reap())).toMatchObject({ removed: false });
    expect(existsSync(path)).toBe(true);
    rmSync(path);
    reap();
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('removes what its reaper knows for certain to be of an owner that died before it could say so', () => {
    const path = newPath();
    const creators: Creator[] = [];
    const isOf: Reaper['isOf'] = (name, creator) => (creators.push(creator), name === path);
    registerReaper('test-file', { identify: identityOf, remove: unlinkSync, isOf });
    onTestFinished(() => registerReaper('test-file', reaper));
    killed(path, 'unidentified');
    const made = statSync(path).ctime;
    expect(reapName('test-file', `${path}.other`)).toBe(false);
    expect(reportOf(path, reap({ dryRun: true }))).toMatchObject({ removed: true });
    expect(existsSync(path)).toBe(true);
    expect(reapName('test-file', path)).toBe(true);
    expect(existsSync(path)).toBe(false);
    expect(reportOf(path, reap())).toBeUndefined();
    const [{ pid, from, to } = expect.fail('nobody was asked')] = creators;
    expect(pid).toBeGreaterThan(0);
    expect(from <= made && made <= to).toBe(true);
  });

  it('leaves what another, which was started in the dead one’s place, has made and recorded', () => {
    const path = newPath();
    registerReaper('test-file', { identify: identityOf, remove: unlinkSync, isOf: () => true });
    onTestFinished(() => registerReaper('test-file', reaper));
    killed(path, 'unidentified');
    const other = TemporaryName.claim('test-file', path);
    onTestFinished(() => other.release());
    // Who has only claimed it has not made it: that is how a name is made anew.
    expect(reap({ dryRun: true })).toContainEqual(
      expect.objectContaining({ name: path, removed: true }),
    );
    other.identify(identityOf(path)!);
    expect(reapName('test-file', path)).toBe(false);
    expect(existsSync(path)).toBe(true);
    other.release();
    expect(reapName('test-file', path)).toBe(true);
  });

  it('leaves what belongs to another IPC namespace, where the kind is one of those that do', (context) => {
    if (process.geteuid?.() !== 0) context.skip('needs root, to make an IPC namespace');
    const path = newPath();
    const made = ['-i', process.execPath, owner, path, 'after'];
    expect(spawnSync('unshare', made, { encoding: 'utf8' }).stderr).toBe('');
    const gone = { ...reaper, identify: () => null, isOfNamespace: true };
    registerReaper('test-file', gone);
    onTestFinished(() => registerReaper('test-file', reaper));
    for (let i = 0; i < 2; i++) {
      expect(reportOf(path, reap())).toMatchObject({
        removed: false,
        reason: expect.stringContaining('IPC namespace') as string,
      });
    }
    registerReaper('test-file', reaper);
    expect(reportOf(path, reap())).toMatchObject({ removed: true });
  });

  it('reports nothing for an owner that released its name', () => {
    const path = newPath();
    killed(path, 'released');
    expect(reportOf(path, reap())).toBeUndefined();
  });

  it('survives records that are no records', () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const garbage = [
      join(folder, 'test-file.1.garbage'),
      join(folder, `test-file.${NO_PID}.garbage.new`),
      join(folder, 'test-file.1.null'),
    ];
    writeFileSync(garbage[0]!, '{"kind":"test-file"', { mode: 0o600 });
    writeFileSync(garbage[1]!, '', { mode: 0o600 });
    writeFileSync(garbage[2]!, 'null', { mode: 0o600 });
    onTestFinished(() => garbage.forEach((path) => rmSync(path, { force: true })));
    reap();
    // What was never finished goes; what is not understood stays while its process, here the first, lives.
    expect(garbage.map((path) => existsSync(path))).toEqual([true, false, true]);
  });

  it('removes an unfinished record only when its lock is free and its owner is dead', () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files = [`${process.pid}.free`, `${NO_PID}.free`, `${NO_PID}.locked`, 'free'];
    const paths = files.map((file) => join(folder, `test-file.${file}.new`));
    paths.forEach((path) => writeFileSync(path, '', { mode: 0o600 }));
    onTestFinished(() => paths.forEach((path) => rmSync(path, { force: true })));
    const locked = hold(paths[2]!);
    onTestFinished(() => closeSync(locked));
    reap({ dryRun: true });
    expect(paths.map((path) => existsSync(path))).toEqual([true, true, true, true]);
    reap();
    expect(paths.map((path) => existsSync(path))).toEqual([true, false, true, true]);
  });

  it('forgets a torn or empty record of a dead process, and says so', () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const torn = join(folder, `test-file.${NO_PID}.torn`);
    const empty = join(folder, `sysv-mq.${NO_PID}.empty`);
    const locked = join(folder, `test-file.${NO_PID}.locked`);
    const paths = [torn, empty, locked];
    onTestFinished(() => paths.forEach((path) => rmSync(path, { force: true })));
    writeFileSync(torn, '\x01\0\0\0\0\0\0\0"test-file","name":"/x"}', { mode: 0o600 });
    writeFileSync(empty, '', { mode: 0o600 });
    writeFileSync(locked, '', { mode: 0o600 });
    const fd = hold(locked);
    onTestFinished(() => closeSync(fd));
    const gone = { pid: NO_PID, removed: false, reason: expect.stringContaining('torn') as string };
    const told = [
      { ...gone, kind: 'sysv-mq', name: empty },
      { ...gone, kind: 'test-file', name: torn },
    ];
    const ours = (reports: readonly ReapReport[]): ReapReport[] =>
      reports.filter(({ name }) => paths.includes(name));
    expect(ours(reap({ dryRun: true }))).toEqual(told);
    expect(paths.map((path) => existsSync(path))).toEqual([true, true, true]);
    expect(ours(reap())).toEqual(told);
    expect(paths.map((path) => existsSync(path))).toEqual([false, false, true]);
    expect(ours(reap())).toEqual([]);
  });

  it('rejects an option of a wrong type', () => {
    expect(() => reap({ dryRun: 'yes' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });
});

describe('TemporaryName.claim()', () => {
  const nobody = 65_533;

  function refused(limit: string, when: string): unknown {
    const { stdout, stderr, pid } = spawnSync(
      'sh',
      ['-c', `ulimit -S ${limit} && exec "$0" "$@"`, process.execPath, owner, '/x', when],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const files = existsSync(folder) ? readdirSync(folder) : [];
    return {
      ...(JSON.parse(stdout) as object),
      files: files.filter((file) => file.startsWith(`test-file.${pid}.`)),
    };
  }

  it('throws the IpcError of a record that cannot be written, and leaves nothing', () => {
    const target = expect.stringContaining(join(folder, 'test-file.')) as string;
    expect(refused('-f 0', 'refused')).toEqual({
      refusal: { name: 'IpcError', code: 'EFBIG', errno: -27, syscall: 'write', target },
      open: [],
      files: [],
    });
  });

  it('throws EMFILE, an IpcError, when no descriptor is left', () => {
    const target = expect.stringContaining(join(folder, 'test-file.')) as string;
    expect(refused('-n 100', 'no-descriptors')).toEqual({
      refusal: { name: 'IpcError', code: 'EMFILE', errno: -24, syscall: 'open', target },
      open: [],
      files: [],
    });
  });

  it('throws EPERM when somebody else made the folder of records', (context) => {
    if (process.geteuid?.() !== 0) context.skip('needs root, to be another user for a moment');
    const theirs = `/dev/shm/octoipc-${nobody}`;
    mkdirSync(theirs, { recursive: true, mode: 0o777 });
    onTestFinished(() => rmSync(theirs, { recursive: true, force: true }));
    const script = `
      const { TemporaryName } = await import('@octoipc/core/kit');
      // What it loads at the first use, another user may not be able to read.
      TemporaryName.claim('test-file', '/warm').release();
      process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody});
      try { TemporaryName.claim('test-file', '/x'); } catch (error) { console.log(error.code); }`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { cwd: import.meta.dirname, encoding: 'utf8' },
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'EPERM\n', stderr: '' });
  });
});
