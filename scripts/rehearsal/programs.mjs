// What users build with: bundlers must keep the addon loadable, and the types hold for the strictest settings and
// the oldest TypeScript that is claimed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { strictProject } from '../strict-types.mjs';
import { usedPackages } from '../uses.mjs';
import { tools } from './stage.mjs';

const APP = `import { createPipe } from '@octoipc/pipe';
const { reader, writer } = createPipe();
await writer.write('bundled');
console.log(String(await reader.read()));
reader.close();
writer.close();
`;

/** Each bundler takes everything into one file; only the addon stays where npm has put it. */
const BUNDLERS = {
  esbuild: `import { build } from 'TOOLS/esbuild/lib/main.js';
await build({ entryPoints: ['app.mjs'], outfile: 'out/esbuild.mjs', bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });`,
  rollup: `import { rollup } from 'TOOLS/rollup/dist/es/rollup.js';
import { nodeResolve } from 'TOOLS/@rollup/plugin-node-resolve/dist/es/index.js';
const bundle = await rollup({ input: 'app.mjs', plugins: [nodeResolve({ preferBuiltins: true })], external: /^node:/ });
await bundle.write({ file: 'out/rollup.mjs', format: 'es', inlineDynamicImports: true });
await bundle.close();`,
  webpack: `import webpack from 'TOOLS/webpack/lib/index.js';
await new Promise((resolve, reject) => webpack({ entry: './app.mjs', mode: 'production', target: 'node20', experiments: { outputModule: true }, output: { path: process.cwd() + '/out', filename: 'webpack.mjs', module: true, chunkFormat: 'module' } }, (error, stats) => error || stats.hasErrors() ? reject(error ?? new Error(stats.toString())) : resolve()));`,
};

export async function rehearse(steps, stage) {
  const folder = stage.large;
  writeFileSync(join(folder, 'app.mjs'), APP);
  mkdirSync(join(folder, 'out'), { recursive: true });
  for (const [name, program] of Object.entries(BUNDLERS)) {
    await steps.run('programs', `bundled by ${name}`, async () => {
      const build = join(folder, `build-${name}.mjs`);
      writeFileSync(build, program.replaceAll('TOOLS', join(tools, 'node_modules')));
      await stage.run(process.execPath, [build], { cwd: folder });
      const printed = await stage.run(process.execPath, [`out/${name}.mjs`], { cwd: folder });
      if (printed !== 'bundled\n') throw new Error(printed);
    });
  }
  const specifiers = ['octoipc', ...usedPackages().map((name) => `@octoipc/${name}`)];
  for (const [title, compiler] of [
    ['TypeScript 5.4, the oldest', join(tools, 'node_modules', 'typescript-oldest', 'bin', 'tsc')],
    [
      'the TypeScript of the workspace',
      join(stage.tree, 'node_modules', 'typescript', 'bin', 'tsc'),
    ],
  ]) {
    for (const module of ['nodenext', 'esnext']) {
      await steps.run('programs', `${title}: ${module}`, async () => {
        await stage.project('large', '@types/node@20');
        strictProject(folder, specifiers, module);
        await stage.run(process.execPath, [compiler, '-p', '.'], { cwd: folder });
      });
    }
  }
}
