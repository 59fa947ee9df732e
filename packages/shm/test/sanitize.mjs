// sanitize.mjs SOURCE SANITIZERS BINARY: compiles a fixture over the C headers and the native code that
// knows nothing of Node.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/** @param {string} source @param {string} sanitizers @param {string} binary */
export function sanitize(source, sanitizers, binary) {
  const includes = [
    '../include',
    '../native',
    '../../core/include',
    '../../core/test/fixtures',
  ].map((each) => `-I${path(each)}`);
  const c = source.endsWith('.c');
  // It sees no fences, which here order nothing but atomic words, whose races it does not look for.
  const more = sanitizers === 'thread' ? ['-Wno-tsan', '-pthread'] : ['-fno-sanitize-recover=all'];
  execFileSync(
    c ? 'cc' : 'c++',
    [
      c ? '-std=gnu11' : '-std=c++20',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-g',
      '-O1',
      `-fsanitize=${sanitizers}`,
      ...more,
      ...includes,
      '-o',
      binary,
      path(`fixtures/${source}`),
    ],
    { stdio: 'inherit' },
  );
}

if (process.argv[1] === import.meta.filename) {
  const [source, sanitizers, binary] = process.argv.slice(2);
  sanitize(source, sanitizers, binary);
}
