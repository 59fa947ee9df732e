// Other runtimes, with what was installed from the registry.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { NotApplicable } from '../step.mjs';
import { readJson, root } from '../workspace.mjs';
import { useAll } from './registry.mjs';
import { tools } from './stage.mjs';

export async function rehearse(steps, stage) {
  const nodes = join(root, 'runtimes');
  const names = Object.keys(readJson(join(nodes, 'package.json')).dependencies);
  const runtimes = {
    ...Object.fromEntries(
      names.map((name) => [name, [join(nodes, 'node_modules', name, 'bin', 'node')]]),
    ),
    bun: [join(tools, 'node_modules', 'bun', 'bin', 'bun')],
  };
  for (const [name, runtime] of Object.entries(runtimes)) {
    await steps.run('runtimes', name, () => {
      if (!existsSync(runtime[0])) throw new NotApplicable('npm run test:runtimes installs it');
      return useAll(runtime, stage.large);
    });
  }
}
