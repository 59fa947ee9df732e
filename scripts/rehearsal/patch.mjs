// A patch of one package: it and what depends on it move, and nothing else.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { publicPackages, readJson } from '../workspace.mjs';

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('patch', title, action);
  const manifest = (name) => readJson(join(stage.tree, 'packages', name, 'package.json'));
  const versions = () =>
    Object.fromEntries(publicPackages().map(({ name }) => [name, manifest(name).version]));
  const before = versions();
  await step('a changeset for mq moves mq and octoipc only', async () => {
    writeFileSync(
      join(stage.tree, '.changeset', 'rehearsal.md'),
      "---\n'@octoipc/mq': patch\n---\n\nA rehearsed patch.\n",
    );
    await stage.run('npx', ['--no', 'changeset', 'version']);
    const after = versions();
    const moved = Object.keys(after).filter((name) => after[name] !== before[name]);
    if (moved.join(' ') !== 'mq octoipc') throw new Error(`${moved.join(' ')} moved`);
    for (const name of moved) {
      const log = readFileSync(join(stage.tree, 'packages', name, 'CHANGELOG.md'), 'utf8');
      if (!log.includes(`## ${after[name]}`)) throw new Error(`${name} has no changelog entry`);
    }
    return moved.map((name) => `${name} ${before[name]} → ${after[name]}`).join(', ');
  });
  await step('publish publishes those two', async () => {
    await stage.run('npx', ['--no', 'changeset', 'publish', '--no-git-tag']);
    for (const {
      name,
      manifest: { name: full },
    } of publicPackages()) {
      const listed = JSON.parse(await stage.run('npm', ['view', full, 'versions', '--json']));
      const count = [listed].flat().length;
      const wanted = ['mq', 'octoipc'].includes(name) ? 2 : 1;
      if (count !== wanted) throw new Error(`${full} has ${count} versions, not ${wanted}`);
    }
  });
  await step('npm update brings it, and nothing else', async () => {
    await stage.project('small', '@octoipc/mq@latest');
    const { version } = readJson(
      join(stage.small, 'node_modules', '@octoipc', 'mq', 'package.json'),
    );
    if (version !== manifest('mq').version) throw new Error(`@octoipc/mq is ${version}`);
    return version;
  });
}
