// bundle.mjs FOLDER: the parsers from their sources, with a file system that reads the input.
import { join } from 'node:path';

import { build } from 'tsup';

import { root } from '../../workspace.mjs';

/** The sources that read what the kernel or another process has written: below /proc, and records. */
const FILES =
  /octoipc\/src\/objects|core\/src\/(process-identity|name-records)|mq\/src\/sysv-status|sem\/src\/sysv-status|shm\/src\/(sysv-status|holders|list)\b/;
/** Those that look at files and make system calls, too. */
const WORLD = /mq\/src\/posix-list|socket\/src\/(peer|place)\b/;
const CALLS = /(mq|socket)\/src\//;
/** Those that open what a URL leads to. */
const CHANNELS = /octoipc\/src\/channels\//;

const fake = (name) => ({ path: join(import.meta.dirname, `fake-${name}.mjs`) });
await build({
  entry: { parsers: join(import.meta.dirname, 'targets.mjs') },
  outDir: process.argv[2],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  config: false,
  silent: true,
  splitting: false,
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
        onResolve({ filter: /^(node:)?fs$/ }, ({ importer }) => {
          if (WORLD.test(importer)) return fake('world');
          return FILES.test(importer) ? fake('fs') : undefined;
        });
        onResolve({ filter: /^\.\/binding\.js$/ }, ({ importer }) =>
          CALLS.test(importer) ? fake('binding') : undefined,
        );
        onResolve({ filter: /^@octoipc\/\w+$|^\.\/schemes\/nats\.js$/ }, ({ importer }) =>
          CHANNELS.test(importer) ? fake('mechanisms') : undefined,
        );
      },
    },
  ],
});
