// @ts-check
// octoipc-bench SUITE… [--quick] [--check] [--rows BEGINNING,…] [--json FILE] [--minutes N]: measures the
// rows of the suites and prints ratios. A suite is a file of suites/; its rows say what is compared. With
// --check only rows with targets are measured, those that miss them twice more, and the status is 1 if one
// misses it each time and is not excused (excused.mjs). The file is written after every suite, so that
// figures outlive what ends this program; a row that fails is told there, and those after N minutes, too.
import { writeFileSync } from 'node:fs';
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
    `usage: npm run bench -- [${SUITES.join('|')}]… [--quick] [--check] [--list] [--rows ID,…] [--json FILE] [--minutes N]`,
  );
  process.exit(values.help ? 0 : 2);
}

const options = values.quick ? { rounds: 5, milliseconds: 10 } : { rounds: 11, milliseconds: 30 };
const wanted = values.rows?.split(',') ?? [''];
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

/** @param {import('./compare.mjs').Result & { suite: string }} result */
const missedIts = ({ suite, row, against, reached }) =>
  reached === false && excuseOf(suite, row, against) === undefined;

/**
 * Of two measurements of one row the one that reached its target.
 *
 * @param {Awaited<ReturnType<typeof measure>>} first
 * @param {Awaited<ReturnType<typeof measure>>} second
 */
function betterOf(first, second) {
  return first.map((result, index) => {
    const other = second[index];
    return missedIts(result) && other !== undefined ? other : result;
  });
}

const before = machine();
/** @type {Awaited<ReturnType<typeof measure>>} */
const results = [];
const suites = positionals.length > 0 ? positionals : SUITES;

function save() {
  if (values.json === undefined) return;
  const document = {
    machine: before,
    loadAfter: machine().load,
    options,
    peers: VERSIONS,
    failures,
    results,
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
    for (let again = 0; values.check && again < 2 && measured.some(missedIts); again++) {
      measured = betterOf(measured, await measure(suite, row));
    }
    for (const result of measured) console.log(lineOf(result));
    results.push(...measured);
  }
  save();
}
const aimed = results.filter(({ reached }) => reached !== undefined);
const missed = aimed.filter(({ reached }) => reached === false);
const excused = missed.filter((result) => !missedIts(result));
console.log(
  `\n${aimed.length - missed.length} of ${aimed.length} targets reached, ${excused.length} excused, ${failures.length} rows not measured`,
);
if (values.check) {
  const failed = results.filter(missedIts);
  for (const { suite, row, against } of failed) console.log(`missed: ${suite} ${row}, ${against}`);
  for (const { suite, row, against } of excused)
    console.log(`excused: ${suite} ${row}, ${against}: ${excuseOf(suite, row, against)}`);
  if (failed.length > 0) process.exitCode = 1;
}
