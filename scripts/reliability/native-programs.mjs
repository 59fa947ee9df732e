// The programs over native code that run without Node: those that are fuzzed, and those whose threads ThreadSanitizer
// watches.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { addonFlags } from '../addon-flags.mjs';
import { root } from '../workspace.mjs';

/** What a program is of, its source in test/fixtures, and what of native/ it is linked with; `quick`: also in short forms. */
export const FUZZED = [
  { name: 'shm', source: 'header-fuzz.c', quick: true },
  { name: 'shm', source: 'native-fuzz.cc', quick: true },
  { name: 'socket', source: 'control-fuzz.cc' },
  { name: 'sem', source: 'lock-fuzz.cc', native: ['keeper.cc', 'region.cc'] },
];

export const THREADED = [
  { name: 'shm', source: 'header-threads.c' },
  { name: 'shm', source: 'native-threads.cc' },
  { name: 'shm', source: 'futex-threads.cc', native: ['futex_thread.cc'] },
  {
    name: 'sem',
    source: 'native-threads.cc',
    native: ['keeper.cc', 'region.cc', 'word_watch.cc'],
  },
  { name: 'core', source: 'waiting-threads.cc' },
  { name: 'core', source: 'pump-threads.cc' },
  { name: 'mq', source: 'queue-threads.cc', native: ['sysv_wait.cc'] },
  {
    name: 'signal',
    source: 'exchange-threads.cc',
    native: ['exchange.cc', 'dispositions.cc', 'thread_masks.cc'],
  },
  { name: 'popen', source: 'keeper-threads.cc', native: ['keeper.cc', 'guard.cc', 'child.cc'] },
];

/**
 * Compiles one of them.
 *
 * @param program - an entry of the lists above
 * @param flags - `-fsanitize=…` and the like
 * @param binary - where the program goes
 * @param compiler - `cc`, or a clang
 */
export function compileProgram({ name, source, native = [] }, flags, binary, compiler = 'cc') {
  const folder = join(root, 'packages', name);
  const c = source.endsWith('.c');
  const plus = compiler === 'cc' ? 'c++' : compiler.replace('clang', 'clang++');
  const includes = ['include', 'native'].map((of) => `-I${join(folder, of)}`);
  const { status, stderr, error } = spawnSync(
    c ? compiler : plus,
    [
      ...(c ? ['-std=gnu11'] : withoutWarnings(addonFlags(process.arch).compile)),
      ...includes,
      `-I${join(root, 'packages', 'core', 'include')}`,
      // What the programs have in common.
      `-I${join(root, 'packages', 'core', 'test', 'fixtures')}`,
      '-g',
      '-O1',
      '-pthread',
      ...flags,
      '-o',
      binary,
      join(folder, 'test', 'fixtures', source),
      ...native.map((file) => join(folder, 'native', file)),
      // What is for JavaScript only is not called.
      ...(c ? [] : ['-no-pie', '-Wl,--unresolved-symbols=ignore-all']),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${source} does not compile:\n${error ?? stderr}`);
}

/** Of a binding's flags those that another compiler takes too, without what hides from sanitizers. */
function withoutWarnings(flags) {
  return flags.filter((flag) => !/^-(W|O|D_FORTIFY|fcf|fvisibility|fPIC|flto|fno-plt)/.test(flag));
}
