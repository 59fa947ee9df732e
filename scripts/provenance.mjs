// What a package says of where it comes from, in what is packed alone: the registry takes no provenance of a package that
// names another repository than the one that built it, or none. A checkout does not know its own; the workflow does.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { publicPackages, root } from './workspace.mjs';

/** As npm reads it: whatever the case of its name. */
function setting(env, name) {
  const found = Object.keys(env).find((key) => key.toLowerCase() === `npm_config_${name}`);
  return found === undefined ? '' : env[found];
}

/**
 * The repository that a workflow builds.
 *
 * @param env - the workflow's variables
 * @returns its address, or undefined where nothing is known of it; throws where the registry would refuse what it asks
 */
export function repositoryOf(env) {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, ACTIONS_ID_TOKEN_REQUEST_URL } = env;
  if (setting(env, 'provenance') === 'true') {
    if (!GITHUB_REPOSITORY)
      throw new Error(
        'provenance was asked for (NPM_CONFIG_PROVENANCE), and GITHUB_REPOSITORY does not say of which repository: only the workflow can tell',
      );
    if (!ACTIONS_ID_TOKEN_REQUEST_URL)
      throw new Error(
        'provenance was asked for (NPM_CONFIG_PROVENANCE), and this job has no identity: its permissions need `id-token: write`',
      );
  }
  if (!GITHUB_REPOSITORY) return undefined;
  return `git+${GITHUB_SERVER_URL || 'https://github.com'}/${GITHUB_REPOSITORY}.git`;
}

/**
 * Has each manifest name a repository.
 *
 * @param url - of {@link repositoryOf}; nothing is done without
 * @returns puts back the manifests as they were
 */
export function nameRepository(url) {
  const before = new Map();
  if (url !== undefined) {
    for (const { folder, manifest } of publicPackages()) {
      const file = join(folder, 'package.json');
      before.set(file, readFileSync(file, 'utf8'));
      const repository = { type: 'git', url, directory: relative(root, folder) };
      writeFileSync(file, `${JSON.stringify({ ...manifest, repository }, undefined, 2)}\n`);
    }
  }
  return () => {
    for (const [file, text] of before) writeFileSync(file, text);
  };
}
