// @ts-check
// octoipc-bench SUITE… [--quick] [--check] [--rows BEGINNING,…] [--json FILE]: measures the rows of the
// suites and prints ratios. A suite is a file of suites/; its rows say what is compared. With --check only
// rows with targets are measured, those that miss them twice more, and the status is 1 if one misses it each
// time and is not known to be out of reach.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compare } from './compare.mjs';
import { machine } from './machine.mjs';
import { heading, lineOf } from './report.mjs';

const folder = join(import.meta.dirname, 'suites');
const known = readdirSync(folder).map((file) => file.replace(/\.mjs$/, ''));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rows: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !known.includes(name));
if (values.help || unknown.length > 0) {
  console.error(
    `usage: npm run bench -- [${known.join('|')}]… [--quick] [--check] [--rows ID,…] [--json FILE]`,
  );
  process.exit(values.help ? 0 : 2);
}

const options = values.quick ? { rounds: 5, milliseconds: 10 } : { rounds: 11, milliseconds: 30 };
const wanted = values.rows?.split(',') ?? [''];
/**
 * A row that cannot be measured does not take the others along.
 *
 * @param {import('./compare.mjs').Row} row
 * @returns {(error: Error) => import('./compare.mjs').Result[]}
 */
const broken =
  ({ title }) =>
  (error) => {
    console.log(`${title}: not measured: ${error.message}`);
    process.exitCode = 1;
    return [];
  };

/** @param {import('./compare.mjs').Result} result */
const missedIts = ({ reached, excused }) => reached === false && excused === undefined;

/**
 * Of two measurements of one row the one that reached its target.
 *
 * @param {import('./compare.mjs').Result[]} first
 * @param {import('./compare.mjs').Result[]} second
 */
function betterOf(first, second) {
  return first.map((result, index) => {
    const other = second[index];
    return missedIts(result) && other !== undefined ? other : result;
  });
}

const before = machine();
/** @type {(import('./compare.mjs').Result & { suite: string })[]} */
const results = [];
console.log(
  `${before.cpu}, ${before.cores} cores, Linux ${before.kernel}, Node ${before.node}, load ${before.load.map((load) => load.toFixed(2)).join(' ')}`,
);
console.log(`medians of ${options.rounds} pairs, with quartiles; ✓ where the target is reached\n`);
console.log(heading());
for (const suite of positionals.length > 0 ? positionals : known) {
  /** @type {{ rows(): import('./compare.mjs').Row[] }} */
  const { rows } = await import(`./suites/${suite}.mjs`);
  for (const row of rows()) {
    if (!wanted.some((beginning) => row.id.startsWith(beginning))) continue;
    if (values.check && row.against.every(({ target }) => target === undefined)) continue;
    let measured = await compare(row, options).catch(broken(row));
    for (let again = 0; values.check && again < 2 && measured.some(missedIts); again++) {
      measured = betterOf(measured, await compare(row, options).catch(broken(row)));
    }
    for (const result of measured) console.log(lineOf(result));
    results.push(...measured.map((result) => ({ suite, ...result })));
  }
}
const missed = results.filter(({ reached }) => reached === false).length;
const aimed = results.filter(({ target }) => target !== undefined).length;
console.log(`\n${aimed - missed} of ${aimed} targets reached`);
if (values.json !== undefined) {
  const document = { machine: before, loadAfter: machine().load, options, results };
  writeFileSync(values.json, `${JSON.stringify(document, undefined, 2)}\n`);
}
if (values.check) {
  const failed = results.filter(missedIts);
  for (const { suite, row, against } of failed) console.log(`missed: ${suite} ${row}, ${against}`);
  if (failed.length > 0) process.exitCode = 1;
}
