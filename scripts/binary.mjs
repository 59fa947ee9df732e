// What must be true of a binary that is shipped, by what readelf says of it.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';

/** As old as the compiler can make it, and older than the C library that Node 20 needs (2.28). */
const OLDEST_GLIBC = '2.18';
const MOST_BYTES = 300_000;
const MACHINES = { x64: 'X86-64', arm64: 'AArch64' };
const ENTRIES = new Set(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
/** What the program that loads it has. */
const OF_THE_RUNTIME = /^(napi|node_api)_/;

function isNewer(a, b) {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  return (x[0] - y[0] || x[1] - y[1]) > 0;
}

/** The newest of the versions that symbols are asked for by; undefined where there is none. */
function newest(versions) {
  return versions.reduce((a, b) => (a === undefined || isNewer(b, a) ? b : a), undefined);
}

function* faults({ text, arch, libc, bytes, glibc }) {
  const needed = [...text.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  const symbols = text.split('\n').filter((line) => /^\s+\d+: [0-9a-f]{16} /.test(line));
  const exported = symbols
    .filter(
      (line) =>
        !line.includes(' UND ') &&
        !line.includes(' HIDDEN ') &&
        /\b(FUNC|OBJECT)\s+(GLOBAL|WEAK)\b/.test(line),
    )
    .map((line) => line.trim().split(/\s+/).at(-1));
  if (!text.includes(MACHINES[arch])) yield `is not for ${arch}`;
  if (bytes > MOST_BYTES) yield `has ${bytes} bytes, of ${MOST_BYTES} at most`;
  if (!/^\s+GNU_RELRO\s/m.test(text)) yield 'has no RELRO';
  if (!/\(FLAGS(_1)?\).*\b(BIND_)?NOW\b/.test(text)) yield 'binds lazily';
  if (!/\(FLAGS_1\).*\bNODELETE\b/.test(text)) yield 'can be unmapped by dlclose';
  if (!/^\s+GNU_STACK\s.*\sRW\s/m.test(text)) yield 'has an executable stack';
  if (text.includes('(TEXTREL)')) yield 'has relocations in its code';
  if (!text.includes('__stack_chk_fail')) yield 'has no stack protector';
  if (/\.symtab\b/.test(text)) yield 'is not stripped';
  for (const line of symbols) {
    const [, name] = /\bUND (\S+?)(?: \(\d+\))?$/.exec(line) ?? [];
    if (name === undefined || OF_THE_RUNTIME.test(name) || / WEAK /.test(line)) continue;
    if (/^(_Z|__cxa_(?!finalize)|_Unwind)/.test(name)) yield `needs ${name} of a C++ library`;
    else if (libc === 'glibc' && !name.includes('@')) yield `needs ${name}, of no known version`;
  }
  for (const name of exported) if (!ENTRIES.has(name)) yield `exports ${name}`;
  for (const name of needed)
    if (/c\+\+|libgcc/.test(name)) yield `needs ${name}, which not every system has`;
  if (libc === 'musl' && (glibc !== undefined || needed.some((name) => name !== 'libc.so')))
    yield `needs ${needed.join(', ')} of another C library`;
  if (libc === 'musl' && text.includes('STATIC_TLS'))
    yield 'has thread-local data in the static block, which musl gives to no library that is loaded later';
  if (libc === 'glibc' && glibc === undefined) yield 'is not for glibc';
  if (glibc !== undefined && isNewer(glibc, OLDEST_GLIBC))
    yield `needs glibc ${glibc}, newer than ${OLDEST_GLIBC}`;
}

/**
 * Looks at a shared object.
 *
 * @param file - its path
 * @param target - platform, architecture and C library: `linux-x64-glibc`
 * @returns `{ bytes, glibc, faults }`; `glibc` is the oldest one that it loads on
 */
export function inspectBinary(file, target) {
  const [, arch, libc] = target.split('-');
  const text = execFileSync('readelf', ['-hlSdVW', '--dyn-syms', file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const glibc = newest([...text.matchAll(/\bGLIBC_(\d+\.\d+)/g)].map(([, version]) => version));
  const bytes = statSync(file).size;
  return { bytes, glibc, faults: [...faults({ text, arch, libc, bytes, glibc })] };
}
