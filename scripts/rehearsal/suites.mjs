// The whole suites under every version of Node, the conformance suites under the other runtimes: half an hour, kept in
// docs/runtimes.json and docs/runtimes.md.
import { join } from 'node:path';

import { must } from '../step.mjs';
import { root } from '../workspace.mjs';

/** Milliseconds for all of it. */
const LONGEST = 90 * 60_000;

export async function rehearse(steps) {
  await steps.run('suites', 'npm run test:runtimes -- --all', async () => {
    const script = join(root, 'scripts', 'runtimes.mjs');
    const said = await must(process.execPath, [script, '--all'], { cwd: root, timeout: LONGEST });
    const rows = said.match(/^node\d+ .*$/gm) ?? [];
    return rows.map((row) => row.replace(/^node\d+ +v/, '').replaceAll(/ +/g, ' ')).join('; ');
  });
}
