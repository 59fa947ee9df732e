import { closeSync, openSync, readSync } from 'node:fs';

/** How many of a program's first bytes name the loader that it is for. */
const HEAD = 2048;

/** The C library of the running program, by the loader that it names; undefined where it names none. */
function libcOfProgram(): 'glibc' | 'musl' | undefined {
  let head = '';
  try {
    const fd = openSync(process.execPath, 'r');
    const bytes = Buffer.alloc(HEAD);
    head = bytes.toString('latin1', 0, readSync(fd, bytes, 0, HEAD, 0));
    closeSync(fd);
  } catch {
    // What cannot be read names none; both are tried then.
  }
  if (head.includes('ld-musl')) return 'musl';
  return head.includes('ld-linux') ? 'glibc' : undefined;
}

/**
 * The folders of a package that may hold a binary for this system, the likeliest first. The other C
 * library's is tried, too: a program may name no loader, or another than it has.
 */
export function prebuiltFolders(): string[] {
  const libcs = libcOfProgram() === 'musl' ? ['musl', 'glibc'] : ['glibc', 'musl'];
  return libcs.map((libc) => `prebuilds/${process.platform}-${process.arch}-${libc}`);
}
