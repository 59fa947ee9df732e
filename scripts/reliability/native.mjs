// Memory of rings, broadcasts, values and locks, and ancillary data, under the packages' C headers and native code:
// libFuzzer where there is clang, else the same programs with numbers drawn from a seed, under GCC's sanitizers.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../run.mjs';
import { compileProgram, FUZZED } from './native-programs.mjs';

const NAMES = ['clang', ...Array.from({ length: 8 }, (_, i) => `clang-${21 - i}`)];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
/** Of the inputs that reach something, so many are kept, the shortest. */
const MOST_KEPT = 60;

/** How many programs are fuzzed, for whoever shares time out. */
export const programs = (quick) => FUZZED.filter((one) => !quick || one.quick);

/** A clang that has libFuzzer. */
function clang(folder) {
  return NAMES.find((name) => {
    const options = ['-fsanitize=fuzzer', '-x', 'c', '-', '-o', join(folder, 'probe')];
    const input =
      'int LLVMFuzzerTestOneInput(const unsigned char* d, unsigned long s) { return d[0] & s & 0; }';
    return spawnSync(name, options, { input }).status === 0;
  });
}

/** Leaves of two corpora what reaches all that both do, in few and short inputs. */
function keepInputs(binary, kept, fresh, folder) {
  const merged = join(folder, 'merged');
  mkdirSync(merged);
  mkdirSync(kept, { recursive: true });
  spawnSync(binary, ['-merge=1', merged, kept, fresh], { stdio: 'ignore' });
  const size = (file) => statSync(join(merged, file)).size;
  const chosen = readdirSync(merged).toSorted((a, b) => size(a) - size(b));
  rmSync(kept, { recursive: true });
  for (const file of chosen.slice(0, MOST_KEPT)) {
    cpSync(join(merged, file), join(kept, file.slice(0, 12)));
  }
  rmSync(merged, { recursive: true });
}

/** Fuzzes the programs, each for so many seconds. */
export async function fuzzNative({ seconds, seed, folder, corpus, tally, quick, keep }) {
  const compiler = clang(folder);
  for (const program of programs(quick)) {
    const { name, source } = program;
    const binary = join(folder, source.replace('.', '-'));
    const began = performance.now();
    const tried = (count) => tally.inputs(name, count, (performance.now() - began) / 1000);
    if (compiler === undefined) {
      console.log(`${source}: there is no clang with libFuzzer, so numbers of a seed decide`);
      compileProgram(program, SANITIZERS, binary);
      const rounds = Math.round(500 * seconds);
      if ((await run(binary, [String(rounds), String(seed)])) === 0) tried(rounds);
      else tally.found(name, `${source} with seed ${seed}`);
      continue;
    }
    const flags = ['-DOCTOIPC_LIBFUZZER', '-fsanitize=fuzzer', ...SANITIZERS];
    compileProgram(program, flags, binary, compiler);
    const fresh = join(folder, `${source}-corpus`);
    mkdirSync(fresh);
    const kept = join(corpus, source.replace('.', '-'));
    const { status, stderr } = spawnSync(
      binary,
      [
        fresh,
        ...(existsSync(kept) ? [kept] : []),
        `-max_total_time=${Math.max(1, Math.round(seconds))}`,
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
    tried(executed);
    if (keep) keepInputs(binary, kept, fresh, folder);
    if (status === 0) continue;
    console.log(stderr.slice(-4000));
    tally.found(
      name,
      `${source}: ${/(ERROR|runtime error):.*/.exec(stderr)?.[0] ?? `status ${status}`}`,
    );
  }
}
