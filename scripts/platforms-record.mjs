// docs/platforms.json: what was seen of each group of the rehearsal and when, kept from run to run.
import { existsSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import { capture } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const file = join(root, 'docs', 'platforms.json');

/** What is new in the order of before, and what was not seen again with the run that it is of. */
function merged(before, own) {
  const { rows, ...of } = before ?? { rows: [] };
  const again = new Map(own.map((each) => [each.title, each]));
  const old = rows.map((each) => again.get(each.title) ?? { ...of, ...each });
  const titles = new Set(rows.map(({ title }) => title));
  return [...old, ...own.filter(({ title }) => !titles.has(title))];
}

/**
 * Keeps what a rehearsal has seen.
 *
 * @param rows - of its steps
 * @param partly - the group of which these are only some: the rest of it stays as it was seen before
 */
export async function recordPlatforms(rows, partly) {
  const kept = existsSync(file) ? readJson(file) : {};
  const { stdout: commit } = await capture('git', ['rev-parse', '--short', 'HEAD'], { cwd: root });
  const of = {
    day: new Date().toISOString().slice(0, 10),
    commit: commit.trim(),
    node: process.versions.node,
    kernel: release(),
    arch: process.arch,
  };
  for (const group of new Set(rows.map((each) => each.group))) {
    const own = rows
      .filter((each) => each.group === group)
      .map(({ title, verdict, remark }) => ({ title, verdict, remark }));
    kept[group] = { ...of, rows: group === partly ? merged(kept[group], own) : own };
  }
  writeFileSync(file, JSON.stringify(kept, undefined, 2));
}
