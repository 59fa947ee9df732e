import {
  chownSync,
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isFifo, mkfifo, openReader, openWriter, tryOpenWriter, unlink } from '@octoipc/fifo';
import { expect, onTestFinished, test } from 'vitest';

import { fixture, start } from './peer.js';
import { folder, freshPath } from './place.js';

const CALL = fileURLToPath(new URL('./fixtures/call.mjs', import.meta.url));
const root = process.getuid?.() === 0;

/** How a call ends for one who has no privileges. */
const unprivileged = (call: string, path: string): Promise<string> =>
  fixture('call.mjs', root ? 'nobody' : 'self', call, path).line();

const failing = (code: string): unknown => expect.objectContaining({ name: 'IpcError', code });

test('FIFO-001: mkfifo() makes a FIFO of exactly this mode, whatever the umask', () => {
  const umask = process.umask(0o077);
  onTestFinished(() => void process.umask(umask));
  for (const mode of [0o666, 0o777, 0o622, 0o600, 0o400, 0]) {
    const path = freshPath();
    mkfifo(path, { mode });
    const status = lstatSync(path);
    expect(status.isFIFO()).toBe(true);
    expect(status.mode & 0o7777).toBe(mode);
  }
  const path = freshPath();
  mkfifo(path);
  expect(lstatSync(path).mode & 0o7777).toBe(0o600);
});

test('FIFO-001: isFifo() tells FIFOs of mkfifo(1) and python3, and nothing else', async () => {
  const [made, python, file, link] = [freshPath(), freshPath(), freshPath(), freshPath()];
  await start('mkfifo', ['-m', '640', made]).ended;
  await start('python3', ['-c', 'import os, sys; os.mkfifo(sys.argv[1])', python]).ended;
  writeFileSync(file, '');
  symlinkSync(made, link);
  expect([made, python, file, link, folder(), `${file}/x`, freshPath()].map(isFifo)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('FIFO-002: mkfifo() is EEXIST where anything has that name, even a link that leads nowhere', () => {
  const [fifo, file, link] = [freshPath(), freshPath(), freshPath()];
  mkfifo(fifo);
  writeFileSync(file, 'kept');
  symlinkSync(freshPath(), link);
  for (const taken of [fifo, file, link, folder()]) {
    expect(() => mkfifo(taken, { mode: 0o666 })).toThrow(failing('EEXIST'));
  }
  expect(readFileSync(file, 'utf8')).toBe('kept');
  expect(lstatSync(fifo).mode & 0o7777).toBe(0o600);
});

test('FIFO-002: mkfifo() and exclusive openers say of EEXIST what helps', async () => {
  const path = freshPath();
  mkfifo(path);
  const hint = expect.stringContaining('unlink(path)') as string;
  const error = expect.objectContaining({ code: 'EEXIST', syscall: 'mkfifo', hint }) as unknown;
  expect(() => mkfifo(path)).toThrow(error as Error);
  await expect(openReader(path, { create: true, exclusive: true })).rejects.toEqual(error);
  expect(() => tryOpenWriter(path, { create: true, exclusive: true })).toThrow(error as Error);
});

test('FIFO-003: mkfifo() is ENOENT without its directory, ENOTDIR below a file; an empty path is a TypeError', () => {
  const file = freshPath();
  writeFileSync(file, '');
  const nowhere = join(freshPath(), 'x');
  expect(() => mkfifo(nowhere)).toThrow(failing('ENOENT'));
  const hint = expect.stringContaining('mkdir') as string;
  expect(() => tryOpenWriter(nowhere, { create: true })).toThrow(
    expect.objectContaining({ code: 'ENOENT', syscall: 'mkfifo', hint }),
  );
  expect(() => mkfifo(join(file, 'x'))).toThrow(failing('ENOTDIR'));
  expect(() => mkfifo('')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
});

test('FIFO-004: mkfifo() and openers take a name of 255 bytes; over that, or a path over 4096, is ENAMETOOLONG', async () => {
  const longest = join(folder(), 'x'.repeat(255));
  mkfifo(longest);
  unlink(longest);
  const long = [
    join(folder(), 'x'.repeat(256)),
    join(folder(), 'ü'.repeat(128)),
    `/${'x/'.repeat(2100)}`,
  ];
  for (const path of long) {
    for (const call of [mkfifo, isFifo, unlink, tryOpenWriter]) {
      expect(() => call(path)).toThrow(failing('ENAMETOOLONG'));
    }
    await expect(openReader(path, { create: true })).rejects.toEqual(failing('ENAMETOOLONG'));
    await expect(openWriter(path)).rejects.toEqual(failing('ENAMETOOLONG'));
  }
});

test('FIFO-005: mkfifo() is EACCES in a directory that one may not write in, ELOOP behind links in a circle, EROFS on what is read-only', async (context) => {
  const [circle, closed] = [freshPath(), freshPath()];
  symlinkSync(circle, circle);
  expect(() => mkfifo(join(circle, 'x'))).toThrow(failing('ELOOP'));
  mkdirSync(closed, { mode: 0o555 });
  expect(await unprivileged('mkfifo', join(closed, 'x'))).toBe('EACCES');
  context.skip(!root, 'a mount that is read-only needs root');
  const mount = 'mount -t tmpfs -o ro none "$0" && exec "$@"';
  const call = [process.execPath, CALL, 'self', 'mkfifo', join(closed, 'x')];
  const { stdout, stderr } = await start('unshare', ['-m', 'sh', '-c', mount, closed, ...call])
    .ended;
  context.skip(/unshare|mount/.test(stderr), `no read-only mount: ${stderr}`);
  expect(String(stdout)).toBe('EROFS\n');
});

test('FIFO-006: mkfifo() in a set-group-ID directory gives the group of the directory, and the exact mode', (context) => {
  context.skip(!root, 'giving a directory to another group needs root');
  const directory = freshPath();
  mkdirSync(directory);
  chownSync(directory, 0, 54321);
  chmodSync(directory, 0o2777);
  const path = join(directory, 'x');
  mkfifo(path, { mode: 0o666 });
  const { gid, mode } = statSync(path);
  expect([gid, mode & 0o7777]).toEqual([54321, 0o666]);
});

test('FIFO-020: openers are EACCES where the mode denies it', async () => {
  const path = freshPath();
  mkfifo(path, { mode: 0 });
  chmodSync(folder(), 0o755);
  for (const call of ['openReader', 'openReaderSync', 'openWriter', 'tryOpenWriter']) {
    expect(await unprivileged(call, path)).toBe('EACCES');
  }
});

test('FIFO-020: an opener with privileges passes whatever the mode is', async (context) => {
  context.skip(!root, 'that needs root');
  (await openReader(freshPath(), { create: true, mode: 0 })).close();
});

test('FIFO-017: unlink() takes the name from those who are connected, who go on; a new FIFO is another one', async () => {
  const path = freshPath();
  const reader = await openReader(path, { create: true });
  const writer = await openWriter(path);
  unlink(path);
  expect(isFifo(path)).toBe(false);
  await expect(openReader(path)).rejects.toEqual(failing('ENOENT'));
  expect(() => unlink(path)).toThrow(failing('ENOENT'));
  mkfifo(path);
  expect(tryOpenWriter(path)).toBeNull();
  await writer.write('still here');
  expect(String(await reader.read())).toBe('still here');
  writer.close();
  reader.close();
});

test('FIFO-023: openers and unlink() refuse what is no FIFO, with EINVAL, and a symbolic link, with ELOOP; nothing happens to it', async () => {
  const [fifo, link, file] = [freshPath(), freshPath(), freshPath()];
  mkfifo(fifo);
  symlinkSync(fifo, link);
  writeFileSync(file, 'not to be read');
  const wrong: [string, string][] = [
    [file, 'EINVAL'],
    [folder(), 'EINVAL'],
    ['/dev/null', 'EINVAL'],
    [link, 'ELOOP'],
  ];
  for (const [path, code] of wrong) {
    await expect(openReader(path, { create: true })).rejects.toEqual(failing(code));
    await expect(openReader(path, { waitForWriter: true })).rejects.toEqual(failing(code));
    await expect(openWriter(path, { create: true })).rejects.toEqual(failing(code));
    expect(() => tryOpenWriter(path)).toThrow(failing(code));
    expect(() => unlink(path)).toThrow(failing(code));
  }
  expect(readFileSync(file, 'utf8')).toBe('not to be read');
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test('FIFO-023: openers refuse a socket, whose open(2) fails as that of a FIFO without readers', async () => {
  const path = freshPath();
  const python = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
  await start('python3', ['-c', python, path]).ended;
  expect(() => tryOpenWriter(path)).toThrow(failing('EINVAL'));
  await expect(openWriter(path)).rejects.toEqual(failing('EINVAL'));
  await expect(openReader(path)).rejects.toEqual(failing('EINVAL'));
});

test('FIFO-023: what is checked is what was opened: a path that is swapped all the time never gives a file', async () => {
  const [path, fifo, file] = [freshPath(), freshPath(), freshPath()];
  mkfifo(fifo);
  writeFileSync(file, 'not to be read');
  const swapper = fixture('swap.mjs', path, fifo, file);
  expect(await swapper.line()).toBe('swapping');
  const seen = new Set<string>();
  for (let i = 0; i < 2000 || seen.size < 2; i++) {
    try {
      const reader = await openReader(path);
      expect(reader.tryRead()).toBeUndefined();
      reader.close();
      seen.add('opened');
    } catch (error) {
      seen.add((error as NodeJS.ErrnoException).code ?? String(error));
    }
  }
  expect([...seen].toSorted()).toEqual(['EINVAL', 'opened']);
});

test('owner: openers refuse the FIFO of another, with EPERM, and take that of the owner', async (context) => {
  const path = freshPath();
  mkfifo(path, { mode: 0o666 });
  const uid = process.getuid!();
  const reader = await openReader(path, { owner: uid });
  tryOpenWriter(path, { owner: uid })!.close();
  reader.close();
  await expect(openReader(path, { owner: uid + 1 })).rejects.toEqual(failing('EPERM'));
  await expect(openWriter(path, { owner: uid + 1 })).rejects.toEqual(failing('EPERM'));
  expect(() => tryOpenWriter(path, { owner: uid + 1 })).toThrow(failing('EPERM'));
  context.skip(!root, 'giving a FIFO to another needs root');
  chownSync(path, 65534, 65534);
  await expect(openReader(path, { create: true, owner: 0 })).rejects.toEqual(failing('EPERM'));
  (await openReader(path, { owner: 65534 })).close();
});

test('FIFO-026: mkfifo() and the openers work below a directory that a descriptor stands for', async () => {
  const [directory, moved] = [freshPath(), freshPath()];
  mkdirSync(directory);
  const fd = openSync(directory, 'r');
  renameSync(directory, moved);
  const path = `/proc/self/fd/${fd}/below`;
  mkfifo(path, { mode: 0o666 });
  expect(isFifo(join(moved, 'below'))).toBe(true);
  (await openReader(path)).close();
  unlink(path);
  expect(isFifo(join(moved, 'below'))).toBe(false);
  closeSync(fd);
});

test('create: openers make what is missing, take what is there, and with exclusive refuse it', async () => {
  const path = freshPath();
  const reader = await openReader(path, { create: true, mode: 0o622 });
  expect(lstatSync(path).mode & 0o7777).toBe(0o622);
  const writer = await openWriter(path, { create: true, mode: 0o600 });
  expect(lstatSync(path).mode & 0o7777).toBe(0o622);
  await expect(openReader(path, { create: true, exclusive: true })).rejects.toEqual(
    failing('EEXIST'),
  );
  await expect(openReader(freshPath())).rejects.toEqual(failing('ENOENT'));
  writer.close();
  reader.close();
});
