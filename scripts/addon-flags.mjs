// How a binding is compiled: what its binding.gyp and addon.gypi say, for compilers that gyp does not drive.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { root } from './workspace.mjs';

/** A gyp file is a literal of Python. */
function readGyp(file) {
  const program =
    'import ast,json,sys; print(json.dumps(ast.literal_eval(open(sys.argv[1]).read())))';
  return JSON.parse(execFileSync('python3', ['-c', program, file], { encoding: 'utf8' }));
}

/** The headers of this Node, uv.h among them. */
function nodeHeaders() {
  const folder = join(dirname(dirname(process.execPath)), 'include', 'node');
  if (!existsSync(join(folder, 'node_api.h')))
    throw new Error(`the headers of Node are not in ${folder}: install Node from its own archive`);
  return folder;
}

/**
 * The flags of every binding.
 *
 * @param arch - as Node names it
 * @returns `{ compile, link }`
 */
export function addonFlags(arch) {
  const core = join(root, 'packages', 'core');
  const gyp = readGyp(join(core, 'addon.gypi'));
  const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir;
  const ofArch = gyp.conditions
    .filter(([condition]) => condition === `target_arch=="${arch}"`)
    .flatMap(([, { cflags }]) => cflags);
  return {
    compile: [
      ...gyp.cflags,
      ...gyp.cflags_cc,
      ...ofArch,
      ...gyp.defines.map((define) => `-D${define}`),
      '-fPIC',
      // Not ours to be warned about.
      `-isystem${join(root, addonApi)}`,
      `-isystem${nodeHeaders()}`,
      `-I${join(core, 'include')}`,
    ],
    link: gyp.ldflags,
  };
}

/**
 * The sources of a package's binding, as paths.
 *
 * @param binding - its name, where it is another than the package's: what only the tests load is under a condition
 */
export function addonSources({ name, folder }, binding = name) {
  const { targets, conditions = [] } = readGyp(join(folder, 'binding.gyp'));
  const all = [...targets, ...conditions.flatMap(([, more]) => more.targets ?? [])];
  const { sources } = all.find(({ target_name: target }) => target === binding);
  return sources.map((source) => join(folder, source));
}
