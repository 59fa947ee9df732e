// @ts-check
// octoipc-bench SUITE… [--quick] [--rows BEGINNING,…] [--json FILE]: measures the rows of the suites and
// prints ratios. A suite is a file of suites/; its rows say what is compared.
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
    rows: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !known.includes(name));
if (values.help || unknown.length > 0) {
  console.error(
    `usage: npm run bench -- [${known.join('|')}]… [--quick] [--rows ID,…] [--json FILE]`,
  );
  process.exit(values.help ? 0 : 2);
}

const options = values.quick ? { rounds: 5, milliseconds: 10 } : { rounds: 11, milliseconds: 30 };
const wanted = values.rows?.split(',') ?? [''];
const before = machine();
/** @type {import('./compare.mjs').Result[]} */
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
    const measured = await compare(row, options);
    for (const result of measured) console.log(lineOf(result));
    results.push(...measured);
  }
}
const missed = results.filter(({ reached }) => reached === false).length;
const aimed = results.filter(({ target }) => target !== undefined).length;
console.log(`\n${aimed - missed} of ${aimed} targets reached`);
if (values.json !== undefined) {
  const document = { machine: before, loadAfter: machine().load, options, results };
  writeFileSync(values.json, `${JSON.stringify(document, undefined, 2)}\n`);
}
