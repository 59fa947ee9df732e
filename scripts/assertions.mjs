// npm run assertions [-- --check]: which facts of docs/assertions.md the tests' titles name, by
// mechanism. Fails on an id that does not exist; with --check also on one that should be covered.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { capture, tool } from './run.mjs';
import { packages, root } from './workspace.mjs';

/** The families of ids whose every JS and JS2 fact must be covered. A finished mechanism joins here. */
const COMPLETE = new Set([
  'PIPE',
  'FIFO',
  'MQ',
  'SVMSG',
  'SEM',
  'SVSEM',
  'FUTEX',
  'RING',
  'SIG',
  'SHM',
  'MEMFD',
  'SVSHM',
  'POPEN',
  'BIND',
]);

/** Facts about calls of mechanisms that do not exist yet. */
const LATER = new Set(['BIND-016']);

const MECHANISM = {
  PIPE: 'pipe',
  FIFO: 'fifo',
  MQ: 'mq',
  SVMSG: 'mq',
  SEM: 'sem',
  SVSEM: 'sem',
  SHM: 'shm',
  MEMFD: 'shm',
  SVSHM: 'shm',
  FUTEX: 'sem',
  RING: 'shm',
  SIG: 'signal',
  SOCK: 'socket',
  TCP: 'socket',
  POPEN: 'popen',
  BIND: 'all',
};

/** Names that look like an id and are none. */
const NO_FAMILY = new Set(['SHA', 'AES', 'UTF', 'ISO', 'RFC']);

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const familyOf = (id) => id.slice(0, id.indexOf('-'));

/** The ids of the committed tables, each with how it can be checked. */
function facts() {
  const text = readFileSync(join(root, 'docs', 'assertions.md'), 'utf8');
  const rows = text.match(/^\| [A-Z]+-\d{3} \|.*$/gm) ?? [];
  return new Map(
    rows.map((row) => {
      const cells = row.split(' | ').map((cell) => cell.replaceAll(/^\||\|$/g, '').trim());
      return [cells[0], cells.findLast((cell) => /^(JS2?|PRIV|KERN)$/.test(cell))];
    }),
  );
}

/** The ids in the titles of all tests, each with one title and its file. */
async function named() {
  // Files are loaded, and never told that they are over: what they make goes with this folder.
  const TMPDIR = mkdtempSync(join(tmpdir(), 'octoipc-assertions-'));
  const env = { ...process.env, OCTOIPC_CENSUS: 'off', TMPDIR };
  const { status, stdout, output } = await capture(
    process.execPath,
    [tool('vitest'), 'list', '--json'],
    { env },
  );
  rmSync(TMPDIR, { recursive: true });
  const start = stdout.search(/^\[/m);
  if (status !== 0 || start < 0) {
    console.error(output);
    throw new Error('vitest list failed');
  }
  const ids = new Map();
  for (const { name, file } of JSON.parse(stdout.slice(start))) {
    for (const [id] of name.matchAll(/\b[A-Z]{2,}-\d{3}\b/g)) {
      if (!NO_FAMILY.has(familyOf(id))) ids.set(id, { name, file });
    }
  }
  return ids;
}

await readyOrExit();
const known = facts();
const covered = await named();
const present = new Set(packages().map(({ name }) => name));
const kinds = (family, kind) =>
  [...known].filter(([id, its]) => familyOf(id) === family && kind.includes(its)).map(([id]) => id);
const count = (ids) => `${ids.filter((id) => covered.has(id)).length}/${ids.length}`;

console.log('mechanism  facts  covered    PRIV    KERN');
const missing = [];
for (const [family, mechanism] of Object.entries(MECHANISM)) {
  const coverable = kinds(family, ['JS', 'JS2']);
  console.log(
    [
      mechanism.padEnd(9),
      family.padStart(6),
      count(coverable).padStart(8),
      count(kinds(family, ['PRIV'])).padStart(7),
      String(kinds(family, ['KERN']).length).padStart(7),
    ].join(' '),
  );
  if (mechanism !== 'all' && !present.has(mechanism)) continue;
  const open = coverable.filter((id) => !covered.has(id) && !LATER.has(id));
  if (open.length > 0) missing.push({ family, open });
}

let wrong = 0;
for (const { family, open } of missing) {
  const required = COMPLETE.has(family);
  if (required) wrong += open.length;
  console.log(
    `${required ? 'missing' : 'open'} ${family}: ${open.map((id) => id.slice(-3)).join(' ')}`,
  );
}
const unknown = [...covered].filter(([id]) => !known.has(id));
for (const [id, { name, file }] of unknown)
  console.log(`${id} does not exist: "${name}" in ${file}`);
const everything = [...known.keys()].filter((id) => covered.has(id)).length;
console.log(
  `${everything} of ${known.size} facts are named by a test, ${unknown.length} unknown ids`,
);
process.exitCode = unknown.length > 0 || (values.check && wrong > 0) ? 1 : 0;
