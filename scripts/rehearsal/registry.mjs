// Versions and publishes everything, and installs it into empty projects.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { must } from '../step.mjs';
import { tourUnder, usedPackages, usePackage } from '../uses.mjs';
import { publicPackages, readJson } from '../workspace.mjs';

/** Uses packages that a project has; throws where one does not work. */
export async function useAll(runtime, folder, names = usedPackages()) {
  const lacking = [];
  for (const name of names) {
    const { works, lacks, said } = await usePackage(runtime, name, folder);
    if (!works) throw new Error(`${name}: ${said}`);
    lacking.push(...lacks.map((lack) => `${name} lacks ${lack}`));
  }
  return `${names.length} packages${lacking.length === 0 ? '' : `; ${lacking.join('; ')}`}`;
}

/** What a workflow tells of itself. */
const WORKFLOW = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'rehearsal/octoipc',
};

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('registry', title, action);
  const publishedBy = (said) => `${said.match(/@?[\w/]*octoipc[\w/]*@\d/g)?.length ?? 0} published`;
  const core = () => readJson(join(stage.tree, 'packages', 'core', 'package.json')).version;
  await step('no provenance without a repository', async () => {
    const env = { NPM_CONFIG_PROVENANCE: 'true', GITHUB_REPOSITORY: '' };
    const said = await stage.run('npm', ['run', 'release', '--', '--publish'], { env }).then(
      () => 'it was not refused',
      ({ message }) => message,
    );
    const refusal = said.match(/^release: provenance .*GITHUB_REPOSITORY.*$/m)?.[0];
    if (refusal === undefined) throw new Error(said);
    return 'refused before anything is done';
  });
  if (stage.complete) {
    // It versions, builds the binaries, checks what is packed, publishes and tags.
    await step('npm run release', async () => {
      const said = await stage.run('npm', ['run', 'release'], {
        timeout: 3_600_000,
        env: WORKFLOW,
      });
      const tags = await stage.run('git', ['tag', '--list', '@octoipc/core@*']);
      if (tags.trim() !== `@octoipc/core@${core()}`) throw new Error(`tags: ${tags}\n${said}`);
      return `core ${core()}, ${publishedBy(said)}`;
    });
    await step('what is published names its repository', async () => {
      for (const { name, manifest } of publicPackages()) {
        const view = ['view', manifest.name, 'repository', '--json'];
        const { url, directory } = JSON.parse(await stage.run('npm', view));
        const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: path } = WORKFLOW;
        if (url !== `git+${server}/${path}.git` || directory !== `packages/${name}`)
          throw new Error(`${manifest.name}: ${url}, ${directory}`);
        const kept = readJson(join(stage.tree, 'packages', name, 'package.json')).repository;
        if (kept !== undefined) throw new Error(`the manifest of ${name} has kept it`);
      }
    });
  } else {
    await step('versions and changelogs', async () => {
      await stage.run('npx', ['--no', 'changeset', 'version']);
      return `core ${core()}`;
    });
    await step('publish all', async () =>
      publishedBy(await stage.run('npx', ['--no', 'changeset', 'publish', '--no-git-tag'])),
    );
  }
  await step('npm install @octoipc/mq, without a compiler', async () => {
    stage.small = await stage.project('small', '@octoipc/mq');
    const present = readdirSync(join(stage.small, 'node_modules', '@octoipc'));
    if (present.join(' ') !== 'core mq') throw new Error(`it brought ${present.join(' ')}`);
    return useAll([process.execPath], stage.small, ['mq']);
  });
  await step('npm install octoipc, and use all', async () => {
    stage.large = await stage.project('large', 'octoipc');
    return useAll([process.execPath], stage.large);
  });
  await step('npx octoipc tour', async () => {
    const { works, rows, said } = await tourUnder(
      [process.execPath],
      join(stage.large, 'node_modules', 'octoipc', 'dist', 'cli.js'),
      stage.large,
    );
    if (!works) throw new Error(said);
    return `${rows.length} rows`;
  });
  await step('build from source where no binary fits', async () => {
    const folder = await stage.project('source', '@octoipc/fifo');
    const fifo = join(folder, 'node_modules', '@octoipc', 'fifo');
    await must('rm', ['-r', join(fifo, 'prebuilds')]);
    const program = `import('@octoipc/fifo').then(({ mkfifo }) => mkfifo('f')).catch((e) => { console.log(e.hint); process.exit(e.code === 'ERR_UNSUPPORTED' ? 0 : 1); });`;
    const hint = await must(process.execPath, ['-e', program], { cwd: folder });
    const command = hint.trim().replace(/^.*compiler: /, '');
    await stage.run('sh', ['-c', command], { cwd: folder });
    await must(
      process.execPath,
      ['-e', "import('@octoipc/fifo').then(({ mkfifo }) => mkfifo('f'))"],
      {
        cwd: folder,
      },
    );
    return 'by the command that the error tells';
  });
}
