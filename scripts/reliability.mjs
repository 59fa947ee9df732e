// npm run reliability [-- --only STEP,…] [--quick] [--minutes M] [--seed N] [--page] [--check]: everything that tries to break
// something: kills, faults, limits, fuzzers, sanitizers, load, leaks; each a program in scripts/reliability. What each
// did is kept in docs/reliability/STEP.json, unless it was the short form; docs/reliability.md is written from
// these. --page only writes that, --check only tells whether it is what the results give.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { MECHANISMS } from './reliability/rows.mjs';
import { readJson, root } from './workspace.mjs';

/** The steps, by their programs, and what each does. */
const STEPS = {
  kills:
    'kills what leaves state in the kernel or the file system before each of its system calls, alone and beside a rival, and at random moments',
  locks: 'kills the users of mutexes, locks, conditions and barriers between any two steps',
  tests:
    'kills the users of rings, broadcasts and values between any two stores; takes away limits, file systems, system calls and privileges',
  faults: 'lets each system call fail with each error that could come',
  parsers: 'throws bytes at every parser of what others wrote',
  'api-fuzz': 'calls the whole API in random order with random arguments',
  tsan: 'lets threads do at once what they do in the native code, under ThreadSanitizer',
  sanitizers: 'runs the native code under the sanitizers and valgrind',
  load: 'many processes (64, or 8 in the short form) on one queue, ring, lock and server: messages counted, none lost, doubled or torn',
  flat: 'does each operation up to a million times, and looks for what grows',
};
/** Those that draw what they try. */
const SEEDED = ['kills', 'faults', 'parsers', 'api-fuzz'];
const COLUMNS = {
  killPoints: 'kill points',
  faults: 'faults',
  inputs: 'inputs',
  hours: 'hours',
  findings: 'findings',
  mended: 'mended',
};

/** What none of them tries. */
const NOT_COVERED = [
  'ThreadSanitizer sees the threads of one process, and no fences: what processes do to memory that they share is tried by **kills**, **locks** and **tests**, and by the fuzzers. Its programs have no Node: the thread-safe functions of the pump that hands readiness over are stand-ins, and of a signal whose default action is to follow nothing is tried.',
  'The opening thread of fifo and the splicing thread of pipe have no program of their own under ThreadSanitizer. Both are jobs of `waiting_thread.h`, whose start, cancelling and end have one (`waiting-threads.cc`); beside an atomic count, they share with JavaScript only what is written before the start or read after the end.',
  'LeakSanitizer looks at the examples only: tests run with `detect_leaks=0`, since the foreign programs that they start inherit the library and would be judged, too. Leaks of all else are what **flat** looks for, in memory, and what the tests count after each file, in descriptors, threads, mappings and objects.',
  'What runs in a child of `popen` between clone(2) and execve(2) shares its parent’s memory by design, and is not watched by ThreadSanitizer: the programs that it watches start theirs by fork(2).',
  'EAGAIN of a call that was just told of as possible is let fail, but a wait that then goes on until its timeout is no finding: the kernel tells of an edge again ([decisions](decisions.md#faults)).',
  'Calls that V8, libuv and libc make for themselves and do not survive are not let fail.',
  'What has a loop or a library of its own below it, as the connections of NATS, is called by the fuzzer of the API, and is not killed at its system calls.',
];

const folder = join(root, 'docs', 'reliability');
const page = join(root, 'docs', 'reliability.md');

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    page: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const programOf = (step) => join(root, 'scripts', 'reliability', `${step}.mjs`);
const available = Object.keys(STEPS).filter((step) => existsSync(programOf(step)));

if (!values.check && !values.page) await runSteps();
// These are loaded only here: the workspace is ready by now.
const { format, resolveConfig } = await import('prettier');
const { shortTitle, titlesOf } = await import('./test-titles.mjs');
const text = await format(pageText(), { ...(await resolveConfig(page)), filepath: page });
if (values.check) {
  const same = existsSync(page) && readFileSync(page, 'utf8') === text;
  if (!same)
    console.error(
      'docs/reliability.md is not what docs/reliability/*.json give: npm run reliability -- --page',
    );
  else console.log('docs/reliability.md is what its results give');
  process.exitCode = same ? 0 : 1;
} else if (values.page || !values.quick) {
  writeFileSync(page, text);
}

async function runSteps() {
  const steps = values.only?.flatMap((list) => list.split(',')) ?? available;
  const unknown = steps.filter((step) => !available.includes(step));
  if (unknown.length > 0) {
    console.error(`no step ${unknown.join(', ')}; there are ${available.join(', ')}`);
    process.exit(2);
  }
  await readyOrExit();
  const results = [];
  for (const step of steps) {
    console.log(`\n== ${step}: ${STEPS[step]}`);
    const result = await runStep(step);
    if (result === undefined) continue;
    results.push(result);
    if (values.quick) continue;
    mkdirSync(folder, { recursive: true });
    const { format: formatted } = await import('prettier');
    const json = await formatted(JSON.stringify(result), { parser: 'json', printWidth: 100 });
    writeFileSync(join(folder, `${step}.json`), json);
  }
  console.log(`\n${tableOf(results)}`);
}

/** Runs a step, which prints what it does; what its last line says. */
async function runStep(step) {
  const { spawn } = await import('node:child_process');
  const { SKIPPED } = await import('./run.mjs');
  const args = [
    ...(values.quick ? ['--quick'] : ['--minutes', values.minutes]),
    // Where something is drawn: the same again.
    ...(values.seed !== undefined && SEEDED.includes(step) ? ['--seed', values.seed] : []),
  ];
  const child = spawn(process.execPath, ['--expose-gc', programOf(step), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
    process.stdout.write(data);
  });
  const status = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  if (status === SKIPPED) return undefined;
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (status !== 0) process.exitCode = 1;
  try {
    return { ...JSON.parse(last), date: new Date().toISOString().slice(0, 10) };
  } catch {
    console.error(`${step} ended with ${status} and says nothing of what it did`);
    process.exitCode = 1;
    return undefined;
  }
}

/**
 * Rows of several steps, summed up by mechanism. What is open is a finding; what is mended is one list, whatever step
 * has found it.
 */
function summed(results, mended, open) {
  const sums = new Map();
  const add = ({ mechanism, ...counts }) => {
    const zero = Object.fromEntries(Object.keys(COLUMNS).map((key) => [key, 0]));
    const sum = sums.get(mechanism) ?? zero;
    sums.set(mechanism, sum);
    for (const key of Object.keys(COLUMNS)) sum[key] += counts[key] ?? 0;
  };
  for (const row of results.flatMap(({ rows }) => rows)) add({ ...row, findings: row.open.length });
  for (const { mechanism } of open) add({ mechanism, findings: 1 });
  for (const { mechanism } of mended) add({ mechanism, findings: 1, mended: 1 });
  return [...sums].toSorted(([a], [b]) => MECHANISMS.indexOf(a) - MECHANISMS.indexOf(b));
}

function number(key, value) {
  if (value === 0) return '–';
  return key === 'hours' ? value.toFixed(2) : value.toLocaleString('en');
}

function tableOf(results, mended = [], open = []) {
  const head = ['mechanism', ...Object.values(COLUMNS)];
  const lines = summed(results, mended, open).map(([mechanism, sum]) => [
    mechanism,
    ...Object.keys(COLUMNS).map((key) => number(key, sum[key])),
  ]);
  const rule = head.map((_, column) => (column === 0 ? ':--' : '--:'));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function readResults() {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => basename(file, '.json') in STEPS);
  const order = Object.keys(STEPS);
  return files
    .map((file) => readJson(join(folder, file)))
    .toSorted((a, b) => order.indexOf(a.step) - order.indexOf(b.step));
}

/** All that was ever found and is mended; each names a test that is there. */
function readMended() {
  const mended = readJson(join(folder, 'mended.json'));
  const titles = new Map();
  for (const { test, title } of mended) {
    const file = join(root, test);
    if (!existsSync(file)) throw new Error(`mended.json names ${test}, which is not there`);
    if (!titles.has(file)) titles.set(file, test.endsWith('.test.ts') ? titlesOf(file) : undefined);
    // What is kept by a scene or a fuzzer has no title: it is named by a line of that.
    const kept =
      titles.get(file)?.some((one) => shortTitle(one) === title) ??
      readFileSync(file, 'utf8').includes(title);
    if (!kept) throw new Error(`mended.json: ${test} has no “${title}” that runs`);
  }
  return mended.toSorted(
    (a, b) => MECHANISMS.indexOf(a.mechanism) - MECHANISMS.indexOf(b.mechanism),
  );
}

/** How the page names what keeps something mended. */
function linkOf({ test, title }) {
  const said = test.endsWith('.test.ts') ? title.replaceAll(/[[\]_*\\]/g, '\\$&') : basename(test);
  return `[${said}](../${test})`;
}

function pageText() {
  const results = readResults();
  const mended = readMended();
  const known = readJson(join(folder, 'open.json'));
  const told = known.map(({ mechanism, finding }) => `- ${mechanism}: ${finding}`);
  const open = results.flatMap(({ step, rows }) =>
    rows.flatMap((row) => row.open.map((what) => `- ${row.mechanism} (${step}): ${what}`)),
  );
  return `<!-- Written by npm run reliability. -->

# What was tried to break it

\`npm run reliability\` runs everything that tries to break something; this page is written from what it found, which is
kept in [reliability/](reliability/). Kill points, faults, inputs and hours are of the last run of each step, hours those in
which a mechanism was tried; messages under load and operations that were counted are among the inputs. Findings are all that
were ever made: what is mended stays in the table and below, with the test that keeps it so.

${tableOf(results, mended, known)}

## The steps

${results
  .map(({ step, date, rows, remarks = [] }) => {
    const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
    const did = ['killPoints', 'faults', 'inputs']
      .filter((key) => total(key) > 0)
      .map((key) => `${total(key).toLocaleString('en')} ${COLUMNS[key]}`);
    const sum = `${[...did, `${total('hours').toFixed(2)} hours`].join(', ')}.`;
    return [`- **${step}** (${date}): ${STEPS[step]}. ${sum}`, ...remarks].join('\n  - ');
  })
  .join('\n')}
${notRun(results)}
## What is not covered

${NOT_COVERED.map((what) => `- ${what}`).join('\n')}

## Open

${[...told, ...open].join('\n') || 'Nothing.'}

## Mended

${mended.map((one) => `- ${one.mechanism}: ${one.finding} (${linkOf(one)})`).join('\n')}
`;
}

/** The steps of which no long run is on record. */
function notRun(results) {
  const missing = Object.keys(STEPS).filter((name) => !results.some(({ step }) => step === name));
  if (missing.length === 0) return '';
  const lines = missing.map((step) => `- **${step}**: ${STEPS[step]}.`);
  return `\nOf these the short form runs, and no long run is on record here:\n\n${lines.join('\n')}\n`;
}
