// The conformance suite of every mechanism against what was installed, not the workspace; with fewer dropped handles
// than `npm test` has.
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { publicPackages, root } from '../workspace.mjs';

/** As in the workspace: what Node itself would load. */
const CONFIG = `export default {
  ssr: { resolve: { conditions: ['module-sync', 'node'] } },
  test: {
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 120000,
    hookTimeout: 120000,
    server: { deps: { external: [/node_modules/] } },
  },
};
`;

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('suite', title, action);
  const made = await step('a project with what was published', async () => {
    stage.suite = await stage.project('suite', 'octoipc', '@octoipc/conformance');
    // The user's vitest: the workspace's stands in for it.
    for (const name of ['vitest', 'fast-check']) {
      symlinkSync(join(root, 'node_modules', name), join(stage.suite, 'node_modules', name));
    }
    writeFileSync(join(stage.suite, 'vitest.config.mjs'), CONFIG);
  });
  if (!made) return;
  const vitest = join(stage.suite, 'node_modules', 'vitest', 'vitest.mjs');
  for (const { name, folder } of publicPackages()) {
    const tests = join(folder, 'test');
    if (!existsSync(join(tests, 'conformance.test.ts'))) continue;
    await step(`${name} from its tarball`, async () => {
      mkdirSync(join(stage.suite, name));
      cpSync(tests, join(stage.suite, name, 'test'), { recursive: true });
      const said = await stage.run(
        process.execPath,
        [vitest, 'run', '--reporter=dot', `${name}/test/conformance.test.ts`],
        { cwd: stage.suite, timeout: 900_000, env: { NO_COLOR: '1', OCTOIPC_QUICK: '1' } },
      );
      return said.match(/Tests\s+.*/)?.[0].trim();
    });
  }
}
