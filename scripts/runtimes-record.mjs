// docs/runtimes.json: what was seen under each runtime and when, kept from run to run, so that one part can be tried again
// by itself. What was seen of another version of a runtime goes with it.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { capture, runTool } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const file = join(root, 'docs', 'runtimes.json');

/** All that is kept, by the name of each runtime. */
export function recorded() {
  return existsSync(file) ? readJson(file) : {};
}

/** `Node 22.23.3` is told by this. */
export async function nameOf([command]) {
  const { stdout } = await capture(command, ['--version']);
  const version = stdout.trim().split('\n')[0].replace(/^v/, '');
  if (command.endsWith('bun')) return `Bun ${version}`;
  return command.endsWith('deno') ? version.replace(/^deno (\S+).*/, 'Deno $1') : `Node ${version}`;
}

/** `Node 22`, `Bun`: what has one version at a time. */
function familyOf(title) {
  return title.replace(/^(Node \d+).*|^(\w+) .*/, '$1$2');
}

/**
 * Keeps what was seen.
 *
 * @param title - of {@link nameOf}
 * @param part - `uses`, `suites` or `conformance`
 * @param name - a package, or the tour
 * @param seen - what came of it; the day is added
 */
export async function record(title, part, name, seen) {
  const all = recorded();
  for (const other of Object.keys(all))
    if (other !== title && familyOf(other) === familyOf(title)) delete all[other];
  all[title] ??= {};
  all[title][part] ??= {};
  all[title][part][name] = { ...seen, day: new Date().toISOString().slice(0, 10) };
  writeFileSync(file, JSON.stringify(all, undefined, 2));
  await runTool('prettier', ['--write', '--log-level=warn', file]);
}
