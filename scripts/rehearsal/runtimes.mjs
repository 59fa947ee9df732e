// Other runtimes, with what was installed from the registry. What a runtime is known not to have is told, and must not work.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { nameOf } from '../runtimes-record.mjs';
import { knownFailure, OTHERS } from '../runtimes-uses.mjs';
import { NotApplicable } from '../step.mjs';
import { usedPackages } from '../uses.mjs';
import { readJson, root } from '../workspace.mjs';
import { useAll } from './registry.mjs';

/** Uses what has to work; the rest by its reason. */
async function useUnder(title, runtime, folder) {
  const names = usedPackages();
  const failing = names.filter((name) => knownFailure(title, name) !== undefined);
  const said = await useAll(
    runtime,
    folder,
    names.filter((name) => !failing.includes(name)),
  );
  for (const name of failing) {
    const works = await useAll(runtime, folder, [name]).catch(() => undefined);
    if (works !== undefined) throw new Error(`${name} works, which it is said not to`);
  }
  return [said, ...failing.map((name) => `${name} ${knownFailure(title, name)}`)].join('; ');
}

export async function rehearse(steps, stage) {
  const nodes = join(root, 'runtimes');
  const names = Object.keys(readJson(join(nodes, 'package.json')).dependencies);
  const runtimes = [
    ['Node', [process.execPath]],
    ...names.map((name) => ['Node', [join(nodes, 'node_modules', name, 'bin', 'node')]]),
    ...Object.entries(OTHERS).map(([name, { command }]) => [name, command]),
  ];
  for (const [name, runtime] of runtimes) {
    const present = existsSync(runtime[0]);
    const title = present ? await nameOf(runtime) : name;
    await steps.run('runtimes', title, () => {
      if (!present) throw new NotApplicable('npm run test:runtimes -- --all installs it');
      return useUnder(title, runtime, stage.large);
    });
  }
}
