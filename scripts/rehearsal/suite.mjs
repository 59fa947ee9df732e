// The conformance suite against what was installed, not the workspace.
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../workspace.mjs';

export async function rehearse(steps, stage) {
  await steps.run('suite', 'pipe and fifo from tarballs', async () => {
    const folder = await stage.project('suite', 'octoipc', '@octoipc/conformance');
    // The user's vitest: the workspace's stands in for it.
    for (const name of ['vitest', 'fast-check']) {
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    }
    for (const name of ['pipe', 'fifo']) {
      mkdirSync(join(folder, name));
      cpSync(join(root, 'packages', name, 'test'), join(folder, name, 'test'), { recursive: true });
    }
    writeFileSync(
      join(folder, 'vitest.config.mjs'),
      `export default { test: { include: ['*/test/conformance.test.ts'], pool: 'forks', execArgv: ['--expose-gc'], testTimeout: 120000, hookTimeout: 120000 } };\n`,
    );
    const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
    const said = await stage.run(process.execPath, [vitest, 'run', '--reporter=dot'], {
      cwd: folder,
      timeout: 900_000,
    });
    return said.match(/Tests\s+.*/)?.[0].trim();
  });
}
