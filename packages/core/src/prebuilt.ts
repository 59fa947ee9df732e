import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** How many of a program's first bytes name the loader that it is for. */
const HEAD = 2048;

type Libc = 'glibc' | 'musl';

/** The C library of the running program, by the loader that it names; undefined where it names none. */
function libcOfProgram(): Libc | undefined {
  let head = '';
  try {
    const fd = openSync(process.execPath, 'r');
    const bytes = Buffer.alloc(HEAD);
    head = bytes.toString('latin1', 0, readSync(fd, bytes, 0, HEAD, 0));
    closeSync(fd);
  } catch {
    // What cannot be read names none.
  }
  if (head.includes('ld-musl')) return 'musl';
  return head.includes('ld-linux') ? 'glibc' : undefined;
}

/** Of a program that its loader was told to run: then the loader is what it seems to be. */
function libcInMemory(): Libc | undefined {
  try {
    const maps = readFileSync('/proc/self/maps', 'latin1');
    if (/\/(ld-musl-[^/]*|[^/]*-musl\/libc\.so)$/m.test(maps)) return 'musl';
    return /\/libc\.so\.6$/m.test(maps) ? 'glibc' : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The folders of a package that may hold a binary for this system, the likeliest first: that of the C library
 * which the program has, and no other's. musl would load much of what is made for glibc, and its structures are others.
 */
export function prebuiltFolders(): string[] {
  const libc = libcOfProgram() ?? libcInMemory();
  const libcs = libc === undefined ? ['glibc', 'musl'] : [libc];
  return libcs.map((each) => `prebuilds/${process.platform}-${process.arch}-${each}`);
}
