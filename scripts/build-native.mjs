// Builds the binding of the package in the current folder with node-gyp, against the headers beside
// this Node if they are there, so that nothing is downloaded. Nothing is built where every call says ERR_UNSUPPORTED.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

if (!existsSync('binding.gyp') || process.platform !== 'linux') process.exit(0);
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const prefix = dirname(dirname(process.execPath));
const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
const { status } = spawnSync(
  process.execPath,
  [nodeGyp, 'configure', 'build', '--silent', ...headers, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
