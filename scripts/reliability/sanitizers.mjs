#!/usr/bin/env node
// sanitizers.mjs [--minutes M | --quick] [--packages a,b]: builds every binding with AddressSanitizer and
// UndefinedBehaviorSanitizer, into build/asan of its package, and runs its tests over that, file by file: all of them,
// or in the short form those that say most; then each package's examples with leak detection, and one of them under
// valgrind. What counts is what the sanitizers report: a test of resident size or of system calls may fail for what the
// sanitizers do themselves.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

import { addonFlags, addonSources } from '../addon-flags.mjs';
import { capture, SKIPPED, tool } from '../run.mjs';
import { filesUnder, packages, root, scratch } from '../workspace.mjs';
import { Tally, stepOptions } from './step.mjs';

const FLAVOUR = join('build', 'asan');
const SANITIZE = [
  '-fsanitize=address,undefined',
  '-fno-sanitize=vptr',
  '-fno-sanitize-recover=undefined',
  '-fno-omit-frame-pointer',
  '-g',
  '-O1',
  '-DNODE_ADDON_API_ENABLE_TYPE_CHECK_ON_AS',
];
/** A hardened libc's own checks hide what the sanitizers would see; sections that nobody uses are no matter here. */
const UNWANTED = new Set(['-O2', '-D_FORTIFY_SOURCE=2', '-Werror']);
/** In the short form: those that go through most of the native code in the least time. */
const TELLING = {
  core: ['native', 'native-arguments', 'temporary', 'readiness'],
  pipe: ['conformance', 'splice', 'workers'],
  fifo: ['conformance', 'open-writer'],
  mq: ['conformance', 'memory', 'sysv-wait'],
  sem: ['conformance', 'memory', 'mutex', 'sysv'],
  shm: ['conformance', 'hostile', 'faults', 'memfd', 'wait'],
  signal: ['conformance', 'process'],
  socket: ['conformance', 'fds', 'posix'],
  popen: ['conformance', 'start', 'sync'],
};

/** When the newest file under these folders was written. */
function newest(folders) {
  const files = folders.flatMap((each) => filesUnder(each));
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** Compiles one binding, unless that was done since its sources were changed. */
async function build({ name, folder }, target, sources) {
  const binary = join(folder, FLAVOUR, `${target}.node`);
  const read = [
    join(folder, 'native'),
    join(folder, 'include'),
    join(root, 'packages', 'core', 'include'),
    ...sources.map(dirname),
  ];
  if (existsSync(binary) && statSync(binary).mtimeMs > newest(read)) return;
  const { compile, link } = addonFlags(process.arch);
  mkdirSync(join(folder, FLAVOUR), { recursive: true });
  const { status, output } = await capture('g++', [
    ...compile.filter((flag) => !UNWANTED.has(flag)),
    ...SANITIZE,
    '-shared',
    `-DNODE_GYP_MODULE_NAME=${target}`,
    '-o',
    binary,
    ...sources,
    ...link,
  ]);
  if (status !== 0) throw new Error(`${name} does not compile with sanitizers:\n${output}`);
}

const options = stepOptions(600, { packages: { type: 'string' } });
/** One file of tests under the sanitizers, on a machine that does much else: a file that is cut off has counted for nothing. */
const WATCHDOG = options.quick ? 400_000 : 1_800_000;
if (spawnSync('g++', ['--version']).error !== undefined) {
  console.log('skipped: there is no g++');
  process.exit(SKIPPED);
}
const only = options.packages?.split(',');
const native = packages().filter(({ folder }) => existsSync(join(folder, 'binding.gyp')));
const chosen = native.filter(({ name }) => only === undefined || only.includes(name));
const tally = new Tally('sanitizers');

// All of them, whatever was chosen: packages use each other.
const jobs = native.flatMap((one) => {
  const kit = join(one.folder, 'test', 'native', 'kit_test.cc');
  return [
    () => build(one, one.name, addonSources(one)),
    ...(existsSync(kit) ? [() => build(one, 'kit_test', [kit])] : []),
  ];
});
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  }),
);
console.log(`built with sanitizers: ${native.map(({ name }) => name).join(', ')}`);

mkdirSync(scratch, { recursive: true });
const folder = mkdtempSync(join(scratch, 'sanitizers-'));
const library = (name) =>
  spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();

/**
 * The environment of a program over the sanitized bindings. The two signals stay with @octoipc/shm, whose handlers answer
 * for its mappings, and chain. Leaks are looked for in Node's own programs only: foreign ones inherit the library.
 */
function environment(leaks) {
  const log = join(folder, 'report');
  return {
    ...process.env,
    OCTOIPC_BUILD: FLAVOUR,
    OCTOIPC_QUICK: '1',
    OCTOIPC_CENSUS: 'off',
    LD_PRELOAD: [library('libasan.so'), library('libubsan.so')].join(' '),
    // Leaks are told in the report: the status stays the program's own.
    ASAN_OPTIONS: `detect_leaks=${leaks ? 1 : 0}:${leaks ? 'exitcode=0:' : ''}handle_segv=0:handle_sigbus=0:handle_abort=0:log_path=${log}:log_exe_name=1`,
    UBSAN_OPTIONS: `halt_on_error=1:print_stacktrace=1:log_path=${log}`,
  };
}

/** Reports that the sanitizers have left; those of programs that are not ours count not. */
function reports() {
  return readdirSync(folder)
    .filter((file) => file.startsWith('report'))
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      rmSync(join(folder, file));
      return text;
    })
    .filter((text) => /\.node|packages\//.test(text));
}

/** Tells what the sanitizers found. */
function judge(name, what, leaks = true) {
  for (const text of reports()) {
    if (!leaks && text.includes('LeakSanitizer')) continue;
    const line = /(ERROR: |runtime error: ).*/.exec(text)?.[0] ?? text.split('\n')[0];
    console.log(`finding: ${what}:\n${text.slice(0, 6000)}`);
    tally.found(name, `${what}: ${line.slice(0, 160)}`);
  }
}

/** The files of tests, a package's after another's, so that each has some when time is short. */
function inTurns(lists) {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lists.map((list) => list[i]))
    .flat()
    .filter(Boolean);
}

const files = inTurns(
  chosen.map((one) =>
    filesUnder(join(one.folder, 'test'))
      .filter((file) => file.endsWith('.test.ts'))
      .filter((file) => !options.quick || TELLING[one.name]?.includes(basename(file, '.test.ts')))
      .map((file) => ({ ...one, file })),
  ),
);
// The long form leaves nothing out, however long that takes.
const end = options.quick ? performance.now() + options.seconds * 1000 : Infinity;
let left = files.length;
const failing = [];
for (const { name, file } of files) {
  if (performance.now() > end) break;
  left -= 1;
  const started = performance.now();
  const results = join(folder, 'results.json');
  const { status, output, timedOut } = await capture(
    process.execPath,
    [
      tool('vitest'),
      'run',
      '--project',
      name,
      '--reporter=json',
      `--outputFile=${results}`,
      relative(root, file),
    ],
    { env: environment(false), timeout: WATCHDOG },
  );
  judge(name, relative(root, file));
  if (timedOut) {
    console.log(`${relative(root, file)}: not over in time`);
    // In the short form time is what it has least of.
    if (!options.quick) tally.found(name, `${relative(root, file)} is not over in time`);
    continue;
  }
  if (!existsSync(results)) {
    tally.found(name, `${relative(root, file)}: status ${status}: ${output.slice(-200)}`);
    continue;
  }
  const { numTotalTests, testResults } = JSON.parse(readFileSync(results, 'utf8'));
  rmSync(results);
  const seconds = (performance.now() - started) / 1000;
  tally.inputs(name, numTotalTests, seconds);
  console.log(`${relative(root, file)}: ${numTotalTests} tests, ${seconds.toFixed(0)} s`);
  for (const { assertionResults } of testResults) {
    for (const one of assertionResults.filter((each) => each.status === 'failed')) {
      failing.push(
        `${basename(file)}: ${one.title}: ${(one.failureMessages[0] ?? '').split('\n')[0].slice(0, 160)}`,
      );
    }
  }
}
console.log(
  `${files.length - left} of ${files.length} files of tests; without a report, but failing:`,
);
for (const one of failing) console.log(`    ${one}`);

for (const { name, folder: at } of chosen) {
  for (const file of filesUnder(join(at, 'examples')).filter((each) => each.endsWith('.mjs'))) {
    const started = performance.now();
    const { status, output, timedOut } = await capture(process.execPath, [file], {
      env: environment(true),
      timeout: WATCHDOG,
      cwd: at,
    });
    const what = relative(root, file);
    if (timedOut) tally.found(name, `${what} under LeakSanitizer does not end`);
    // What has ended by an error of its own, as where a compiler does not run over this library, has freed nothing.
    else if (status !== 0) console.log(`${what}: status ${status}: ${output.slice(-200)}`);
    judge(name, what, status === 0);
    tally.inputs(name, 1, (performance.now() - started) / 1000);
    if (options.quick) break;
  }
}

if (!options.quick && spawnSync('valgrind', ['--version']).error === undefined) {
  for (const { name, folder: at } of chosen) {
    const file = filesUnder(join(at, 'examples')).find((each) => each.endsWith('.mjs'));
    if (file === undefined) continue;
    const started = performance.now();
    const { status, output } = await capture(
      'valgrind',
      [
        '--error-exitcode=99',
        '--leak-check=full',
        '--show-leak-kinds=definite',
        '--errors-for-leak-kinds=definite',
        process.execPath,
        file,
      ],
      { timeout: WATCHDOG, cwd: at },
    );
    tally.inputs(name, 1, (performance.now() - started) / 1000);
    if (status === 99) {
      console.log(output.slice(-4000));
      tally.found(name, `valgrind: ${relative(root, file)}`);
    } else console.log(`valgrind: ${relative(root, file)}: status ${status}`);
  }
}
rmSync(folder, { recursive: true });
tally.tell();
