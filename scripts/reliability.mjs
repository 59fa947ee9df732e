// npm run reliability [-- --only STEP,…] [--quick] [--minutes M] [--page] [--check]: everything that tries to break
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
const COLUMNS = {
  killPoints: 'kill points',
  faults: 'faults',
  inputs: 'inputs',
  hours: 'hours',
  findings: 'findings',
  mended: 'mended',
};

const folder = join(root, 'docs', 'reliability');
const page = join(root, 'docs', 'reliability.md');

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    page: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const programOf = (step) => join(root, 'scripts', 'reliability', `${step}.mjs`);
const available = Object.keys(STEPS).filter((step) => existsSync(programOf(step)));

if (!values.check && !values.page) await runSteps();
// prettier is loaded only here: the workspace is ready by now.
const { format, resolveConfig } = await import('prettier');
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
  const args = values.quick ? ['--quick'] : ['--minutes', values.minutes];
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

/** Rows of several steps, summed up by mechanism. */
function summed(results) {
  const sums = new Map();
  for (const { rows } of results) {
    for (const row of rows) {
      const sum =
        sums.get(row.mechanism) ?? Object.fromEntries(Object.keys(COLUMNS).map((key) => [key, 0]));
      sums.set(row.mechanism, sum);
      for (const key of Object.keys(COLUMNS)) sum[key] += row[key];
    }
  }
  return [...sums].toSorted(([a], [b]) => MECHANISMS.indexOf(a) - MECHANISMS.indexOf(b));
}

function number(key, value) {
  if (value === 0) return '–';
  return key === 'hours' ? value.toFixed(2) : value.toLocaleString('en');
}

function tableOf(results) {
  const head = ['mechanism', ...Object.values(COLUMNS)];
  const lines = summed(results).map(([mechanism, sum]) => [
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

function pageText() {
  const results = readResults();
  const mended = readJson(join(folder, 'mended.json'));
  for (const { test } of mended) {
    if (!existsSync(join(root, test)))
      throw new Error(`mended.json names ${test}, which is not there`);
  }
  const record = mended.map(({ mechanism }) => ({ mechanism, findings: 1, mended: 1 }));
  const zero = { killPoints: 0, faults: 0, inputs: 0, hours: 0 };
  const all = [
    ...results,
    {
      rows: [
        ...record,
        ...readJson(join(folder, 'open.json')).map(({ mechanism }) => ({
          mechanism,
          findings: 1,
          mended: 0,
        })),
      ].map((row) => ({ ...zero, ...row })),
    },
  ];
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
were ever made: what is mended stays in the table, with the test that keeps it so.

${tableOf(all)}

## The steps

${results
  .map(({ step, date, rows }) => {
    const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
    const did = ['killPoints', 'faults', 'inputs']
      .filter((key) => total(key) > 0)
      .map((key) => `${total(key).toLocaleString('en')} ${COLUMNS[key]}`);
    return `- **${step}** (${date}): ${STEPS[step]}. ${[...did, `${total('hours').toFixed(2)} hours`].join(', ')}.`;
  })
  .join('\n')}

## Open

${[...told, ...open].join('\n') || 'Nothing.'}

## Mended

${mended.map(({ mechanism, finding, test }) => `- ${mechanism}: ${finding} ([test](../${test}))`).join('\n')}
`;
}
