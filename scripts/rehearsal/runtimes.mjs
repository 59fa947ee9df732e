// Other runtimes, with what was installed from the registry. What a runtime is known not to have is told, and must not work.
import { nameOf } from '../runtimes-record.mjs';
import { otherNodes } from '../runtimes-nodes.mjs';
import { knownFailure, OTHERS } from '../runtimes-uses.mjs';
import { NotApplicable } from '../step.mjs';
import { usedPackages } from '../uses.mjs';
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
  const runtimes = [
    [process.execPath],
    ...(await nodes(steps)),
    ...Object.values(OTHERS).map(({ command }) => command),
  ];
  for (const runtime of runtimes) {
    const title = await nameOf(runtime);
    await steps.run('runtimes', title, () => useUnder(title, runtime, stage.large));
  }
}

/** The other versions of Node, as commands. */
async function nodes(steps) {
  let found = [];
  await steps.run('runtimes', 'the other versions of Node', async () => {
    const others = await otherNodes();
    if (typeof others === 'string') throw new NotApplicable(others);
    found = others.map(([, file]) => [file]);
    return 'from the registry';
  });
  return found;
}
