// npm run build:prebuild [-- --target linux-x64-glibc,… --package NAME,…]: the binaries that the packages ship, into
// packages/*/prebuilds, as scripts/cross-build.mjs makes them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildBinding, TARGETS } from './cross-build.mjs';
import { installCompiler } from './cross-compiler.mjs';
import { publicPackages } from './workspace.mjs';

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: Object.keys(TARGETS).join(',') },
    package: { type: 'string' },
  },
});
const wanted = values.package?.split(',');
await installCompiler();
let wrong = 0;
console.log('package   target              bytes  oldest glibc');
for (const target of values.target.split(',')) {
  for (const pack of publicPackages()) {
    if (!existsSync(join(pack.folder, 'binding.gyp'))) continue;
    if (wanted !== undefined && !wanted.includes(pack.name)) continue;
    try {
      const { bytes, glibc } = await buildBinding(
        pack,
        target,
        join(pack.folder, 'prebuilds', target),
      );
      console.log(
        `${pack.name.padEnd(10)}${target.padEnd(19)}${String(bytes).padStart(6)}  ${glibc}`,
      );
    } catch (error) {
      wrong += 1;
      console.log(`${pack.name} for ${target}:\n${error.message.replaceAll(/^/gm, '    ')}`);
    }
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
