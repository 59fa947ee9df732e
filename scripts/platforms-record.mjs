// docs/platforms.json: what was seen of each group of the rehearsal and when, kept from run to run.
import { existsSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import { capture } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const file = join(root, 'docs', 'platforms.json');

/**
 * Keeps what a rehearsal has seen.
 *
 * @param rows - of its steps
 */
export async function recordPlatforms(rows) {
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
    const own = rows.filter((each) => each.group === group);
    kept[group] = {
      ...of,
      rows: own.map(({ title, verdict, remark }) => ({ title, verdict, remark })),
    };
  }
  writeFileSync(file, JSON.stringify(kept, undefined, 2));
}
