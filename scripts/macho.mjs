// What a Mach-O file says of itself, for systems that have no otool: processor, kind, and its symbols.
import { readFileSync } from 'node:fs';

const MAGIC_64 = 0xfeedfacf;
const PROCESSORS = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
const KINDS = { 6: 'dylib', 8: 'bundle' };
const LC_SYMTAB = 2;
const HEADER = 32;
const SYMBOL = 16;

/** Bits of a symbol's type. */
const N_STAB = 0xe0;
const N_PEXT = 0x10;
const N_TYPE = 0x0e;
const N_EXT = 0x01;

function* symbols(bytes, at) {
  const [table, count, strings] = [8, 12, 16].map((offset) => bytes.readUInt32LE(at + offset));
  for (let i = 0; i < count; i += 1) {
    const entry = table + i * SYMBOL;
    const type = bytes.readUInt8(entry + 4);
    if ((type & N_STAB) !== 0 || (type & N_EXT) === 0) continue;
    const name = strings + bytes.readUInt32LE(entry);
    // The compiler's underscore is no part of the name.
    const text = bytes.toString('latin1', name, bytes.indexOf(0, name)).replace(/^_/, '');
    if ((type & N_TYPE) === 0) yield { name: text, defined: false };
    else if ((type & N_PEXT) === 0) yield { name: text, defined: true };
  }
}

/**
 * Reads a Mach-O file for one processor.
 *
 * @param file - its path
 * @returns `{ arch, kind, exported, wanted, bytes }`: the names that it has for others, and those that
 *   others must have
 */
export function readMachO(file) {
  const bytes = readFileSync(file);
  if (bytes.length < HEADER || bytes.readUInt32LE(0) !== MAGIC_64)
    throw new Error(`${file} is no Mach-O file`);
  const found = [];
  let at = HEADER;
  for (let i = 0; i < bytes.readUInt32LE(16); i += 1) {
    if (bytes.readUInt32LE(at) === LC_SYMTAB) found.push(...symbols(bytes, at));
    at += bytes.readUInt32LE(at + 4);
  }
  const named = (defined) =>
    found.filter((each) => each.defined === defined).map(({ name }) => name);
  return {
    arch: PROCESSORS[bytes.readUInt32LE(4)],
    kind: KINDS[bytes.readUInt32LE(12)],
    exported: named(true),
    wanted: named(false),
    bytes: bytes.length,
  };
}
