// The formatters: prettier for what it knows, clang-format for C and C++. Fails where a file differs;
// with --write it formats instead (npm run format). With arguments, only what is under those paths.
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { runTool } from './run.mjs';
import { filesUnder, packages, root } from './workspace.mjs';

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const wanted = (positionals.length === 0 ? ['.'] : positionals).map((path) => join(root, path));

// The template of a package is formatted as soon as it is a package.
const prettier = await runTool('prettier', [
  values.write ? '--write' : '--check',
  '--log-level=warn',
  '--ignore-path=.prettierignore',
  '--ignore-path=.gitignore',
  ...wanted,
]);

const sources = packages()
  .flatMap(({ folder }) =>
    ['native', 'include', 'test/native'].flatMap((path) => filesUnder(join(folder, path))),
  )
  .filter((file) => ['.c', '.cc', '.h'].includes(extname(file)))
  .filter((file) => wanted.some((path) => file.startsWith(path)));
const clang =
  sources.length === 0
    ? 0
    : await runTool('clang-format-node', [
        ...(values.write ? ['-i'] : ['--dry-run', '--Werror']),
        ...sources,
      ]);
if (!values.write) console.log(`${sources.length} native files and all that prettier knows`);
process.exitCode = prettier || clang;
