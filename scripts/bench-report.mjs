// npm run bench:report: writes docs/benchmarks.md, its charts, the headline of the README and the table of
// docs/choosing.md anew from the raw figures of the published run, docs/benchmarks/results.json, which `npm run bench:publish` takes.
// With --check it only tells whether the texts are what the figures give, whether other texts tell figures that
// are not from there, and whether excuses have their rows and decisions. With --into FOLDER it reads the raw
// figures there, and writes the page and charts beside them, but no README.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import prettier from 'prettier';

import { excuseOf, faultsOfExcuses } from '../packages/bench/src/excused.mjs';
import { sizeOf } from '../packages/bench/src/sizes.mjs';
import { aims } from '../packages/bench/src/suites.mjs';
import { foreignFigures } from './foreign-figures.mjs';
import { run } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, into: { type: 'string' } },
});
const folder =
  options.into === undefined ? join(root, 'docs', 'benchmarks') : resolve(options.into);
const memoryFigures = join(folder, 'memory.json');
const page = join(folder, '..', 'benchmarks.md');
const readme = join(root, 'README.md');
const choosing = join(root, 'docs', 'choosing.md');
const BEGIN = '<!-- figures: written by npm run bench:report -->';
const END = '<!-- end of figures -->';

const CHARTS = [
  {
    name: 'throughput',
    prefix: 'sizes-',
    title: 'Messages a second, one way, between two processes',
    y: 'messages a second',
    value: ({ nanoseconds }) => 1e9 / nanoseconds,
  },
  {
    name: 'bytes',
    prefix: 'sizes-',
    title: 'Bytes a second, one way, between two processes',
    y: 'MB a second',
    value: ({ nanoseconds }, bytes) => (bytes * 1e3) / nanoseconds,
  },
  {
    name: 'latency',
    prefix: 'trips-',
    title: 'A message there and back, awaited, both processes on one core',
    y: 'microseconds, median',
    value: ({ nanoseconds }) => nanoseconds / 1e3,
  },
];

/** What a chart shows: ours and each other of every row, once for each size. */
function valuesOf({ prefix, value }, results) {
  const values = new Map();
  for (const { suite, row, bytes, ours, theirs, against, contestant } of results) {
    if (suite !== 'sizes' || !row.startsWith(prefix) || !theirs) continue;
    const add = (name, figures) =>
      values.set(`${name} ${bytes}`, { bytes, contestant: name, value: value(figures, bytes) });
    add(contestant ?? 'ours', ours);
    add(against, theirs);
  }
  return [...values.values()].toSorted((a, b) => a.bytes - b.bytes);
}

function round(value) {
  if (value >= 10) return value.toFixed(0);
  return value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

function time(ns) {
  if (ns < 1000) return `${ns.toPrecision(3)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toPrecision(3)} µs` : `${(ns / 1e6).toPrecision(3)} ms`;
}

/**
 * From which size on the ring is ahead of the others, all larger ones included: a sentence for each way of measuring.
 */
function crossovers(results) {
  return [
    { way: 'One way', prefix: 'sizes-', isAhead: ({ median }) => median > 1 },
    { way: 'There and back', prefix: 'trips-', isAhead: ({ median }) => median < 1 },
  ].flatMap(({ way, prefix, isAhead }) => {
    const rows = results.filter(
      ({ suite, row, ratio }) => suite === 'sizes' && row.startsWith(prefix) && ratio,
    );
    const others = grouped(rows, ({ against }) => against);
    const sizes = grouped([...others], ([, of]) => {
      const sorted = of.toSorted((a, b) => b.bytes - a.bytes);
      const behind = sorted.findIndex(({ ratio }) => !isAhead(ratio));
      if (behind === 0) return `not yet at ${sizeOf(sorted[0].bytes)}`;
      return `from ${sizeOf(sorted.at(behind < 0 ? -1 : behind - 1).bytes)} on`;
    });
    const texts = [...sizes].map(([size, of]) => {
      const names = of.map(([name]) => name.replace(/, (.+)/, ' ($1)'));
      return `${size}: ${names.join(', ')}`;
    });
    const text = `${way} the ring in shared memory is ahead of the others, all larger messages included, ${texts.join('; ')}.`;
    return texts.length === 0 ? [] : [text, ''];
  });
}

const significant = (value) => Number(value.toPrecision(3)).toLocaleString('en');

/** The table of docs/choosing.md: every mechanism by itself. */
function choiceOf(document) {
  const sizes = document.results.filter(({ suite, theirs }) => suite === 'sizes' && theirs);
  const figures = new Map();
  for (const { row, against, contestant, ours, theirs } of sizes) {
    for (const [name, of] of [
      [contestant, ours],
      [against, theirs],
    ]) {
      // One of Node's has two ways to send, and one to go there and back.
      const key = name === 'process.send' ? 'process.send, json' : name;
      figures.set(key, new Map([...(figures.get(key) ?? []), [row, of.nanoseconds]]));
    }
  }
  if (figures.size === 0) return '';
  const cell = (of, row, text) => (of.has(row) ? text(of.get(row)) : '–');
  const rows = [...figures].map(([name, of]) => [
    name,
    cell(of, 'sizes-64', (ns) => significant(1e6 / ns)),
    cell(of, 'sizes-65536', (ns) => significant((65_536 * 1e3) / ns)),
    cell(of, 'trips-64', (ns) => significant(ns / 1e3)),
  ]);
  return [
    '| mechanism | 64 B, thousand messages a second | 64 KiB, MB a second | 64 B there and back, awaited, on one core, µs |',
    '| --- | --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `${conditionsOf(document, ['sizes'])}; the ring one way by \`consume\`, the others by their blocking calls. [All figures](benchmarks.md).`,
  ].join('\n');
}

/** What is to be known of a suite's figures. */
const NOTES = {
  latency:
    'Each twice: a trip begun when the last is over, and 2,000 trips a second by a schedule, where a trip is timed from when it should have begun. So a pause counts for all that it kept waiting (no coordinated omission); quantiles are of all trips. Before a trip is due its sender sleeps, and spins for the last 100 µs. ours and theirs are p50.',
  producers:
    "Fairness is Jain's index of how much each had done when the first was done with its share: 1 where all were served alike, 1 / n where one alone was.",
  matrix:
    'try spins, sync sleeps in the kernel, async is awaited one by one, batch takes or gives many at a time, zero copy reads and writes where the bytes lie. C does one call a message: `spin` calls again until there is one, `flow` blocks, `frames` has many in a call; in a ring `flow` publishes 64 at a time, `single` one by one.',
  trips:
    'Both processes on one core, but for the ring in its sync flavour, which spins, and so has a core for each. A trip begins when the last is over; ours and theirs are p50. Both sides write and add up each message; a stream gives large ones in parts, which are put together. Where a receiver takes no memory of the caller’s (packets, rings), ours comes in memory of its own.',
};

const QUANTILES = [
  ['p99, ours / theirs', ({ ours, theirs }) => pair(ours.p99, theirs.p99, time)],
  ['p99.9, ours / theirs', ({ ours, theirs }) => pair(ours.p999, theirs.p999, time)],
];

/** What a table tells beside what all tell. */
const COLUMNS = {
  latency: QUANTILES,
  producers: [
    [
      'fairness',
      ({ ours, theirs }) => pair(ours.fairness, theirs.fairness, (each) => each.toFixed(2)),
    ],
  ],
  matrix: [['MiB resident', ({ ours, theirs }) => pair(ours.resident, theirs.resident, mebibytes)]],
  trips: QUANTILES,
};

const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0);

function pair(ours, theirs, text) {
  const each = (value) => (value === undefined || value === null ? '–' : text(value));
  return `${each(ours)} / ${each(theirs)}`;
}

const isExcused = ({ suite, row, against, reached }) =>
  reached === false && excuseOf(suite, row, against) !== undefined;

function tableRow(result, columns = []) {
  const { title, waiting, against, absent, ratio, target, reached, missed, kind } = result;
  const { ours, theirs, interval } = result;
  const what = interval ? `${title}, by schedule` : title;
  if (!ratio) {
    const cells = [what, waiting, against, `not compared: ${absent}`, '', '', ''];
    return `| ${[...cells, ...columns.map(() => '')].join(' | ')} |`;
  }
  const unit = kind === 'milliseconds' ? ' ms' : '';
  const sign = kind === 'throughput' ? '≥' : '≤';
  const verdict = reached ? '✓' : isExcused(result) ? '✗ ¹' : '✗';
  const tries = missed ? ` (before: ${missed.map(round).join(', ')})` : '';
  const aim = target === undefined ? '' : `${sign} ${target}${unit} ${verdict}${tries}`;
  const spread = `${round(ratio.median)}${unit} (${round(ratio.low)}–${round(ratio.high)})`;
  const cells = [
    what,
    waiting,
    against,
    spread,
    aim,
    time(ours.nanoseconds),
    time(theirs.nanoseconds),
  ];
  return `| ${[...cells, ...columns.map(([, of]) => of(result))].join(' | ')} |`;
}

/** Where a heading of docs/decisions.md is, as GitHub names it. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-');

const loads = (load) => load.map((each) => each.toFixed(1)).join(' ');

function conditions({ date, cpu, cores, memory, kernel, node, compiler, load, scheduling }) {
  const gib = Math.round(memory / 2 ** 30);
  return `${cpu}, ${cores} cores, ${gib} GiB, Linux ${kernel}, Node.js ${node}, ${compiler}, ${date.slice(0, 10)}, load ${loads(load)} at the start${scheduling === undefined || scheduling === 'SCHED_OTHER' ? '' : `, ${scheduling}`}`;
}

/** The conditions of the run that suites are of; where they are of several, which are of which. */
function conditionsOf({ machine, before: earlier = [] }, suites) {
  const machineOf = (suite) =>
    earlier.find((each) => each.suites.includes(suite))?.machine ?? machine;
  const runs = [...grouped(new Set(suites), machineOf)];
  return runs
    .map(([of, names]) =>
      runs.length === 1 ? conditions(of) : `${names.join(', ')}: ${conditions(of)}`,
    )
    .join('; ');
}

/** Of suites that a later run has not measured again. */
function before({ suites, machine, loadAfter }) {
  return [
    `Of a run before are ${suites.join(', ')}: ${conditions(machine)}, ${loads(loadAfter)} at the end.`,
    '',
  ];
}

function pageOf(document) {
  const { machine, loadAfter, results, failures = [], peers = {} } = document;
  const suites = grouped(results, ({ suite }) => suite);
  const excuses = results.filter(isExcused);
  const text = [
    '# Benchmarks',
    '',
    'Written by `npm run bench:report` from [the raw figures](benchmarks/results.json), which were taken one suite after the other; `npm run bench:publish` takes them anew. How it measures is in [packages/bench](../packages/bench).',
    '',
    `**Machine:** ${conditions(machine)}, ${loads(loadAfter)} at the end. Medians of up to ${document.options.rounds} pairs with their quartiles; a row that missed its target was measured again, up to twice: the ratios that missed it stand behind the target. Absolute times are for scale, and do not travel; ratios do.`,
    '',
    ...(document.before ?? []).flatMap(before),
    'A ratio of throughput says how many times as much ours moves as the other does (more is better), a ratio of time how many times as long ours takes (less is better).',
    '',
    ...CHARTS.filter((chart) => valuesOf(chart, results).length > 0).flatMap(({ name, title }) => [
      `![${title}](benchmarks/${name}.svg)`,
      '',
    ]),
    ...crossovers(results),
  ];
  for (const [suite, rows] of suites) {
    const columns = COLUMNS[suite] ?? [];
    const heads = ['what', 'waits', 'against', 'ratio', 'target', 'ours', 'theirs'];
    const head = [...heads, ...columns.map(([name]) => name)];
    text.push(
      `## ${suite}`,
      '',
      ...(NOTES[suite] === undefined ? [] : [NOTES[suite], '']),
      `| ${head.join(' | ')} |`,
      `| ${head.map(() => '---').join(' | ')} |`,
      ...rows.map((row) => tableRow(row, columns)),
      '',
    );
  }
  if (failures.length > 0) {
    text.push('## Not measured', '');
    for (const { suite, row, reason } of failures) text.push(`- ${suite} ${row}: ${reason}`);
    text.push('');
  }
  if (Object.keys(peers).length > 0) {
    const names = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
    text.push(`The packages of npm that are compared: ${names.join(', ')}.`, '');
  }
  if (existsSync(memoryFigures)) text.push(...memoryOf(readJson(memoryFigures)));
  if (excuses.length > 0) {
    text.push(
      '¹ Out of reach, with the measurement that shows it in [decisions](decisions.md):',
      '',
    );
    for (const heading of new Set(
      excuses.map(({ suite, row, against }) => excuseOf(suite, row, against)),
    )) {
      text.push(`- [${heading}](decisions.md#${anchorOf(heading)})`);
    }
    text.push('');
  }
  return text.join('\n');
}

function memoryOf({ machine, results, handles = [], imports = [] }) {
  const kib = (bytes) => (bytes === undefined ? '–' : `${(bytes / 1024).toFixed(0)} KiB`);
  const { operations = 0 } = results[0] ?? {};
  const text = [
    '## memory',
    '',
    `What an operation allocates on the heap, there and back in one process, and by how much the old space, the heap and the resident size grew over ${operations.toLocaleString('en')} of them, collections included. The resident size grows by the young generation, which is held large here, and then no more.`,
    '',
    ...(machine === undefined ? [] : [`Of a run of its own: ${conditions(machine)}.`, '']),
    '| what | bytes for each | objects for each | old space | heap | resident |',
    '| --- | --- | --- | --- | --- | --- |',
    ...results.map(
      ({ subject, perOperation, objects, oldSpaceGrowth, heapGrowth, residentGrowth }) =>
        `| ${subject} | ${perOperation.toFixed(0)} | ${objects?.toFixed(1) ?? '–'} | ${kib(oldSpaceGrowth)} | ${kib(heapGrowth)} | ${kib(residentGrowth)} |`,
    ),
    '',
  ];
  if (handles.length > 0) {
    text.push(
      'What each handle costs that is open:',
      '',
      '| what | heap | resident | descriptors |',
      '| --- | --- | --- | --- |',
      ...handles.map(
        ({ subject, heap, resident, descriptors }) =>
          `| ${subject} | ${heap.toFixed(0)} B | ${resident.toFixed(0)} B | ${descriptors} |`,
      ),
      '',
    );
  }
  if (imports.length > 0) {
    const each = imports.map(({ specifier, resident }) => `${specifier} ${kib(resident)}`);
    text.push(`What an import makes resident: ${each.join(', ')}.`, '');
  }
  return text;
}

function grouped(results, keyOf) {
  const groups = new Map();
  for (const result of results) {
    groups.set(keyOf(result), [...(groups.get(keyOf(result)) ?? []), result]);
  }
  return groups;
}

/** The rows that say in the README what speed there is. */
function headlineOf(document) {
  const told = document.results.filter(({ headline, ratio }) => headline === true && ratio);
  if (told.length === 0) return '';
  return [
    '| what | waits | against | ratio | target | ours | theirs |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...told.map((result) => tableRow(result)),
    '',
    ...(told.some(isExcused)
      ? ['¹ Out of reach: [the page](docs/benchmarks.md) names the decision that measures why.', '']
      : []),
    `${conditionsOf(
      document,
      told.map(({ suite }) => suite),
    )}. [All figures](docs/benchmarks.md), and how to take them anew.`,
  ].join('\n');
}

function withFigures(file, figures) {
  const text = readFileSync(file, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < 0) return text;
  return `${text.slice(0, begin + BEGIN.length)}\n\n${figures}\n\n${text.slice(end)}`;
}

async function formatted(text, file) {
  return prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file });
}

const raw = join(folder, 'results.json');
if (!existsSync(raw)) {
  console.error('there are no figures: npm run bench:publish takes them');
  process.exit(1);
}
const document = readJson(raw);
const isPublished = options.into === undefined;
const texts = [
  [page, await formatted(pageOf(document), page)],
  ...(isPublished
    ? [
        [readme, await formatted(withFigures(readme, headlineOf(document)), readme)],
        [choosing, await formatted(withFigures(choosing, choiceOf(document)), choosing)],
      ]
    : []),
];
if (options.check) {
  const stale = texts.filter(
    ([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text,
  );
  for (const [file] of stale)
    console.log(`${file}: not what the figures give: npm run bench:report`);
  const decisions = readFileSync(join(root, 'docs', 'decisions.md'), 'utf8');
  const faults = [...faultsOfExcuses(await aims(), decisions), ...foreignFigures(root, BEGIN, END)];
  for (const fault of faults) console.log(fault);
  console.log(
    `${document.results.length} figures, ${stale.length} texts that differ from them, ${faults.length} other faults`,
  );
  process.exit(stale.length + faults.length === 0 ? 0 : 1);
}
for (const [file, text] of texts) writeFileSync(file, text);
const charts = join(root, 'charts');
if (!existsSync(join(charts, 'node_modules'))) {
  const status = await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: charts });
  if (status !== 0) process.exit(status);
}
const { draw } = await import(pathToFileURL(join(charts, 'draw.mjs')).href);
for (const chart of CHARTS) {
  const values = valuesOf(chart, document.results);
  if (values.length === 0) continue;
  writeFileSync(join(folder, `${chart.name}.svg`), `${await draw({ ...chart, values })}\n`);
}
console.log(`written: ${texts.map(([file]) => relative(root, file)).join(', ')}, and charts`);
