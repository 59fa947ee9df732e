// @ts-check
// octoipc-bench SUITE… [--quick] [--check] [--again] [--rows BEGINNING,…] [--json FILE [--keep]] [--minutes N]: measures
// the rows of the suites and prints ratios. A suite is a file of suites/; its rows say what is compared. With
// --again those that miss their targets are measured twice more, until they reach them, and what they missed
// them with is kept. With --check this is done too, with rows that have targets only, and the status is 1 if one
// misses it each time, or has nobody to be compared with, and is not excused (excused.mjs), or is excused and much worse than published. The file is written after every suite, so that
// figures outlive what ends this program; a row that fails is told there, and those after N minutes, too. With
// --keep what it has of suites that are not measured now stays, with the machine and the load of its run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compare } from './compare.mjs';
import { excuseOf } from './excused.mjs';
import { machine } from './machine.mjs';
import { VERSIONS } from './peers.mjs';
import { hasCompiler } from './programs.mjs';
import { heading, lineOf } from './report.mjs';
import { rowsOf, SUITES } from './suites.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    rows: { type: 'string' },
    json: { type: 'string' },
    minutes: { type: 'string', default: '180' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !SUITES.includes(name));
if (values.help || unknown.length > 0) {
  console.error(
    `usage: npm run bench -- [${SUITES.join('|')}]… [--quick] [--check] [--again] [--list] [--rows ID,…] [--json FILE [--keep]] [--minutes N]`,
  );
  process.exit(values.help ? 0 : 2);
}

const options = values.quick ? { rounds: 5, milliseconds: 10 } : { rounds: 11, milliseconds: 30 };
const wanted = values.rows?.split(',') ?? [''];
const tries = values.check || values.again ? 2 : 0;
const deadline = performance.now() + Number(values.minutes) * 60_000;
/** @type {{ suite: string, row: string, title: string, reason: string }[]} */
const failures = [];

/**
 * A row that cannot be measured does not take the others along.
 *
 * @param {string} suite
 * @param {import('./compare.mjs').Row} row
 * @returns {Promise<(import('./compare.mjs').Result & { suite: string })[]>}
 */
async function measure(suite, row) {
  try {
    if (performance.now() > deadline)
      throw new Error(`more than ${values.minutes} minutes had passed`);
    return (await compare(row, options)).map((result) => ({ suite, ...result }));
  } catch (error) {
    const reason = /** @type {Error} */ (error).message;
    failures.push({ suite, row: row.id, title: row.title, reason });
    console.log(`${row.title}: not measured: ${reason}`);
    process.exitCode = 1;
    return [];
  }
}

/** So many times as bad as in the published run an excused row may be. */
const SLACK = 1.5;

/** The published ratios, by row and other; none where the program is installed without them. */
const published = (() => {
  const file = join(import.meta.dirname, '..', '..', '..', 'docs', 'benchmarks', 'results.json');
  /** @type {{ results: (import('./compare.mjs').Result & { suite: string })[] }} */
  const { results } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { results: [] };
  return new Map(results.map((each) => [`${each.suite} ${each.row} ${each.against}`, each.ratio]));
})();

/** @param {import('./compare.mjs').Result & { suite: string }} result */
function isWorse({ suite, row, against, ratio, kind }) {
  const before = published.get(`${suite} ${row} ${against}`);
  if (before === undefined || ratio === undefined) return false;
  return kind === 'throughput'
    ? ratio.median * SLACK < before.median
    : ratio.median > before.median * SLACK;
}

/**
 * Who has a target and nothing that it could be held against has not reached it.
 *
 * @param {import('./compare.mjs').Result & { suite: string }} result
 */
const missedIts = (result) =>
  result.target !== undefined &&
  result.reached !== true &&
  (excuseOf(result.suite, result.row, result.against) === undefined ||
    (values.check && isWorse(result)));

/**
 * Of two measurements of one row, for each that it is compared with, the one that reached its target.
 *
 * @param {Awaited<ReturnType<typeof measure>>} first
 * @param {Awaited<ReturnType<typeof measure>>} second
 */
function betterOf(first, second) {
  return first.map((result, index) => {
    const other = second[index];
    if (!missedIts(result) || other === undefined) return result;
    if (result.ratio === undefined) return other;
    if (other.ratio === undefined) return result;
    const missed = [...(result.missed ?? []), result.ratio.median];
    return { ...other, missed };
  });
}

const before = machine();
/** @type {Awaited<ReturnType<typeof measure>>} */
const results = [];
const suites = positionals.length > 0 ? positionals : SUITES;

/**
 * A run of other suites before this one.
 *
 * @typedef {object} Before
 * @property {string[]} suites
 * @property {ReturnType<typeof machine>} machine
 * @property {number[]} loadAfter
 */

/** What the file has of suites that are not measured now. */
const kept = (() => {
  const { json = '', keep } = values;
  /** @type {{ runs: Before[], results: typeof results, failures: typeof failures }} */
  const nothing = { runs: [], results: [], failures: [] };
  if (!keep || !existsSync(json)) return nothing;
  const old = JSON.parse(readFileSync(json, 'utf8'));
  /** @param {{ suite: string }} each */
  const stays = ({ suite }) => !suites.includes(suite);
  const others = new Set(old.results.filter(stays).map((/** @type {any} */ each) => each.suite));
  /** @type {Before[]} */
  const earlier = (old.before ?? []).map((/** @type {Before} */ run) => ({
    ...run,
    suites: run.suites.filter((suite) => others.has(suite)),
  }));
  const told = new Set(earlier.flatMap((run) => run.suites));
  const last = {
    suites: [...others].filter((suite) => !told.has(suite)),
    machine: old.machine,
    loadAfter: old.loadAfter,
  };
  return {
    runs: [last, ...earlier].filter((run) => run.suites.length > 0),
    results: old.results.filter(stays),
    failures: old.failures.filter(stays),
  };
})();

function save() {
  if (values.json === undefined) return;
  const all = [...kept.results, ...results];
  const document = {
    machine: before,
    loadAfter: machine().load,
    before: kept.runs,
    options,
    peers: VERSIONS,
    failures: [...kept.failures, ...failures],
    results: SUITES.flatMap((name) => all.filter(({ suite }) => suite === name)),
  };
  writeFileSync(values.json, `${JSON.stringify(document, undefined, 2)}\n`);
}

/** @param {import('./compare.mjs').Row} row */
const isWanted = (row) =>
  wanted.some((beginning) => row.id.startsWith(beginning)) &&
  (!values.check || row.against.some(({ target }) => target !== undefined));

if (values.list) {
  for (const suite of suites) {
    for (const row of (await rowsOf(suite)).filter(isWanted)) console.log(`${suite} ${row.id}`);
  }
  process.exit();
}
if (!hasCompiler())
  console.log('not compared with C: there is no C compiler (cc, or what CC names)\n');
console.log(
  `${before.cpu}, ${before.cores} cores, Linux ${before.kernel}, Node ${before.node}, load ${before.load.map((load) => load.toFixed(2)).join(' ')}`,
);
console.log(`medians of ${options.rounds} pairs, with quartiles; ✓ where the target is reached\n`);
console.log(heading());
for (const suite of suites) {
  for (const row of (await rowsOf(suite)).filter(isWanted)) {
    let measured = await measure(suite, row);
    for (let again = 0; again < tries && measured.some(missedIts); again++) {
      measured = betterOf(measured, await measure(suite, row));
    }
    for (const result of measured) console.log(lineOf(result));
    results.push(...measured);
  }
  save();
}
const aimed = results.filter(({ target }) => target !== undefined);
const missed = aimed.filter(({ reached }) => reached !== true);
const excused = missed.filter((result) => !missedIts(result));
console.log(
  `\n${aimed.length - missed.length} of ${aimed.length} targets reached, ${excused.length} excused, ${failures.length} rows not measured`,
);
if (values.check) {
  const failed = results.filter(missedIts);
  for (const { suite, row, against, absent } of failed) {
    const why = absent === undefined ? '' : `: not compared: ${absent}`;
    console.log(`missed: ${suite} ${row}, ${against}${why}`);
  }
  for (const { suite, row, against } of excused)
    console.log(`excused: ${suite} ${row}, ${against}: ${excuseOf(suite, row, against)}`);
  // Without C there is nothing to hold it against.
  if (failed.length > 0 || !hasCompiler()) process.exitCode = 1;
}
