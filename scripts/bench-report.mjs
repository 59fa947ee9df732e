// npm run bench:report: writes docs/benchmarks.md, its charts and the headline of the README anew from the
// raw figures of the published run, docs/benchmarks/results.json, which `npm run bench:publish` takes.
// With --check it only tells whether the texts are what the figures give.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import prettier from 'prettier';

import { run } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const folder = join(root, 'docs', 'benchmarks');
const memoryFigures = join(folder, 'memory.json');
const page = join(root, 'docs', 'benchmarks.md');
const readme = join(root, 'README.md');
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
];

/** What a chart shows: ours and each other of every row, once for each size. */
function valuesOf({ prefix, value }, results) {
  const values = new Map();
  for (const { row, bytes, ours, theirs, against, contestant } of results) {
    if (!row.startsWith(prefix)) continue;
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

function tableRow({
  title,
  waiting,
  against,
  ratio,
  target,
  reached,
  excused,
  kind,
  ours,
  theirs,
}) {
  const unit = kind === 'milliseconds' ? ' ms' : '';
  const sign = kind === 'throughput' ? '≥' : '≤';
  const verdict = reached ? '✓' : excused === undefined ? '✗' : '✗ ¹';
  const aim = target === undefined ? '' : `${sign} ${target}${unit} ${verdict}`;
  const spread = `${round(ratio.median)}${unit} (${round(ratio.low)}–${round(ratio.high)})`;
  return `| ${title} | ${waiting} | ${against} | ${spread} | ${aim} | ${time(ours.nanoseconds)} | ${time(theirs.nanoseconds)} |`;
}

function conditions({ date, cpu, cores, memory, kernel, node, compiler, load }) {
  const gib = Math.round(memory / 2 ** 30);
  return `${cpu}, ${cores} cores, ${gib} GiB, Linux ${kernel}, Node.js ${node}, ${compiler}, ${date.slice(0, 10)}, load ${load.map((each) => each.toFixed(1)).join(' ')} at the start`;
}

function pageOf({ machine, loadAfter, options, results }) {
  const suites = Map.groupBy?.(results, ({ suite }) => suite) ?? grouped(results);
  const excuses = results.filter(({ reached, excused }) => reached === false && excused);
  const text = [
    '# Benchmarks',
    '',
    'Written by `npm run bench:report` from [the raw figures](benchmarks/results.json), which were taken one suite after the other; `npm run bench:publish` takes them anew. How it measures is in [packages/bench](../packages/bench).',
    '',
    `**Machine:** ${conditions(machine)}, ${loadAfter.map((each) => each.toFixed(1)).join(' ')} at the end. Medians of ${options.rounds} pairs with their quartiles. Absolute times are for scale, and do not travel; ratios do.`,
    '',
    'A ratio of throughput says how many times as much ours moves as the other does (more is better), a ratio of time how many times as long ours takes (less is better).',
    '',
    ...CHARTS.filter((chart) => valuesOf(chart, results).length > 0).flatMap(({ name, title }) => [
      `![${title}](benchmarks/${name}.svg)`,
      '',
    ]),
  ];
  for (const [suite, rows] of suites) {
    text.push(
      `## ${suite}`,
      '',
      '| what | waits | against | ratio | target | ours | theirs |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...rows.map(tableRow),
      '',
    );
  }
  if (existsSync(memoryFigures)) text.push(...memoryOf(readJson(memoryFigures)));
  if (excuses.length > 0) {
    text.push(
      '¹ Out of reach, with the measurement that shows it in [decisions](decisions.md):',
      '',
    );
    for (const reason of new Set(excuses.map(({ excused }) => excused))) text.push(`- ${reason}`);
    text.push('');
  }
  return text.join('\n');
}

function memoryOf({ results }) {
  return [
    '## memory',
    '',
    'What an operation allocates on the heap, there and back in one process, and by how much the heap and the resident size grew over a million of them, collections included. The resident size grows by the young generation, which is held large here, and then no more.',
    '',
    '| what | bytes on the heap for each | heap after a million | resident |',
    '| --- | --- | --- | --- |',
    ...results.map(
      ({ subject, perOperation, heapGrowth, residentGrowth }) =>
        `| ${subject} | ${perOperation.toFixed(0)} | ${(heapGrowth / 1024).toFixed(0)} KiB | ${(residentGrowth / 1024).toFixed(0)} KiB |`,
    ),
    '',
  ];
}

function grouped(results) {
  const groups = new Map();
  for (const result of results) {
    groups.set(result.suite, [...(groups.get(result.suite) ?? []), result]);
  }
  return groups;
}

/** The rows that say in the README what speed there is. */
function headlineOf({ machine, results }) {
  const lines = results.filter(({ headline }) => headline === true).map(tableRow);
  if (lines.length === 0) return '';
  return [
    '| what | waits | against | ratio | target | ours | theirs |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    `${conditions(machine)}. [All figures](docs/benchmarks.md), and how to take them anew.`,
  ].join('\n');
}

function withHeadline(text, headline) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < 0) return text;
  return `${text.slice(0, begin + BEGIN.length)}\n\n${headline}\n\n${text.slice(end)}`;
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
const texts = [
  [page, await formatted(pageOf(document), page)],
  [
    readme,
    await formatted(withHeadline(readFileSync(readme, 'utf8'), headlineOf(document)), readme),
  ],
];
if (process.argv.includes('--check')) {
  const stale = texts.filter(
    ([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text,
  );
  for (const [file] of stale)
    console.log(`${file}: not what the figures give: npm run bench:report`);
  console.log(`${document.results.length} figures, ${stale.length} texts that differ from them`);
  process.exit(stale.length === 0 ? 0 : 1);
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
console.log(`${texts.length} texts and their charts are written`);
