// The memory of rings, broadcasts and values under the package's C headers and its native code: libFuzzer where there is
// clang, else the same programs with numbers drawn from a seed, under GCC's sanitizers.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { sanitize } from '../../packages/shm/test/sanitize.mjs';
import { run } from '../run.mjs';
import { root } from '../workspace.mjs';

const PROGRAMS = ['header-fuzz.c', 'native-fuzz.cc'];
const NAMES = ['clang', ...Array.from({ length: 8 }, (_, i) => `clang-${21 - i}`)];

/** A clang that has libFuzzer. */
function clang(folder) {
  return NAMES.find((name) => {
    const options = ['-fsanitize=fuzzer', '-x', 'c', '-', '-o', join(folder, 'probe')];
    const input =
      'int LLVMFuzzerTestOneInput(const unsigned char* d, unsigned long s) { return d[0] & s & 0; }';
    return spawnSync(name, options, { input }).status === 0;
  });
}

function compile(compiler, source, binary) {
  const c = source.endsWith('.c');
  const shm = join(root, 'packages', 'shm');
  const includes = [
    join(shm, 'include'),
    join(shm, 'native'),
    join(root, 'packages', 'core', 'include'),
  ];
  const { status, stderr } = spawnSync(
    c ? compiler : compiler.replace('clang', 'clang++'),
    [
      ...(c ? ['-std=gnu11'] : ['-std=c++20']),
      '-g',
      '-O1',
      '-DOCTOIPC_LIBFUZZER',
      '-fsanitize=fuzzer,address,undefined',
      '-fno-sanitize-recover=all',
      ...includes.map((path) => `-I${path}`),
      '-o',
      binary,
      join(shm, 'test', 'fixtures', source),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${source} does not compile:\n${stderr}`);
}

/** Fuzzes both programs for so many seconds together. */
export async function fuzzNative({ seconds, seed, folder, corpus, tally }) {
  const compiler = clang(folder);
  for (const source of PROGRAMS) {
    const binary = join(folder, source.replace('.', '-'));
    if (compiler === undefined) {
      console.log(`${source}: there is no clang with libFuzzer, so numbers of a seed decide`);
      sanitize(source, 'address,undefined', binary);
      const rounds = Math.round(1000 * seconds);
      if ((await run(binary, [String(rounds), String(seed)])) === 0) tally.inputs('shm', rounds);
      else tally.found('shm', `${source} with seed ${seed}`);
      continue;
    }
    compile(compiler, source, binary);
    const fresh = join(folder, `${source}-corpus`);
    mkdirSync(fresh);
    const kept = join(corpus, source.replace('.', '-'));
    const { status, stderr } = spawnSync(
      binary,
      [
        fresh,
        ...(existsSync(kept) ? [kept] : []),
        `-max_total_time=${Math.max(1, Math.round(seconds / 2))}`,
        '-max_len=2048',
        `-seed=${seed}`,
        '-print_final_stats=1',
        '-verbosity=0',
        `-artifact_prefix=${corpus}/crash-`,
      ],
      { encoding: 'utf8', maxBuffer: 1 << 26 },
    );
    const executed = Number(/number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? 0);
    console.log(
      `${source}: ${executed} inputs, ${readdirSync(fresh).length} that reach something new`,
    );
    tally.inputs('shm', executed);
    if (status === 0) continue;
    console.log(stderr.slice(-4000));
    tally.found(
      'shm',
      `${source}: ${/(ERROR|runtime error):.*/.exec(stderr)?.[0] ?? `status ${status}`}`,
    );
  }
}
