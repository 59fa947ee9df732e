// bundle.mjs FOLDER: the parsers from their sources, with a file system that reads the input.
import { join } from 'node:path';

import { build } from 'tsup';

import { root } from '../../workspace.mjs';

/** The sources that read what the kernel or another process has written: below /proc, and records. */
const FILES =
  /octoipc\/src\/objects|core\/src\/(process-identity|name-records)|mq\/src\/(sysv-status|posix-list)|sem\/src\/sysv-status|shm\/src\/(sysv-status|holders|list)|socket\/src\/(peer|place)\b/;

const fake = join(import.meta.dirname, 'fake-fs.mjs');
await build({
  entry: { parsers: join(import.meta.dirname, 'targets.mjs') },
  outDir: process.argv[2],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  config: false,
  silent: true,
  // Else it is resolved before our plugin sees it.
  removeNodeProtocol: false,
  noExternal: [/^@octoipc/, /^\./],
  banner: {
    js: "import { createRequire as octoipcRequire } from 'node:module'; const require = octoipcRequire(import.meta.url);",
  },
  esbuildPlugins: [
    {
      name: 'sources',
      setup({ onResolve }) {
        onResolve({ filter: /^@octoipc\/core(\/kit)?$/ }, ({ path }) => ({
          path: join(root, 'packages', 'core', 'src', path.endsWith('kit') ? 'kit.ts' : 'index.ts'),
        }));
        onResolve({ filter: /^(node:)?fs$/ }, ({ importer }) =>
          FILES.test(importer) ? { path: fake } : undefined,
        );
      },
    },
  ],
});
