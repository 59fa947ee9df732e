// What users build with: bundlers must keep the addon loadable, and the types hold for the strictest settings and
// the oldest TypeScript that is claimed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { strictProject } from '../strict-types.mjs';
import { publicPackages, specifiers } from '../workspace.mjs';
import { tools } from './stage.mjs';

/** Of its own package, and of the one for all, which loads the others when they are used: here each, with its addon. */
const APPS = {
  '@octoipc/pipe': `import { createPipe } from '@octoipc/pipe';
async function others() {}
`,
  octoipc: `import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fifo, mq, pipe, popen, sem, shm, signal, socket } from 'octoipc';
const { createPipe } = pipe;
function expect(what, seen) { if (!seen) throw new Error(what); }
async function others() {
  const path = join(tmpdir(), 'octoipc-bundled-' + process.pid);
  fifo.mkfifo(path);
  fifo.openReaderSync(path).close();
  fifo.unlink(path);
  const queue = mq.SysvQueue.open('private', { temporary: true });
  expect('mq', queue.trySend('bundled') && String(queue.tryReceive().data) === 'bundled');
  queue.close();
  const memory = shm.SharedMemory.memfd({ size: 4096 });
  const mutex = sem.Mutex.at(memory, 0, { init: true });
  const guard = mutex.tryLock();
  expect('sem', guard !== null && mutex.tryLock() === null);
  guard.unlock();
  mutex.close();
  memory.close();
  expect('signal', signal.exists(process.pid));
  const [one, other] = socket.socketPair();
  await one.write('bundled');
  expect('socket', String(await other.read()) === 'bundled');
  one.close();
  other.close();
  expect('popen', (await popen.popen(['/bin/true']).close()).ok);
}
`,
};

const USE = `
async function main() {
  await others();
  const { reader, writer } = createPipe();
  await writer.write('bundled');
  console.log(String(await reader.read()));
  // An error looks up what Node calls it.
  const late = await reader.read({ timeout: 1 }).catch(({ code }) => code);
  if (late !== 'ETIMEDOUT') throw new Error(late);
  reader.close();
  writer.close();
}
main();
`;

/** Each bundler takes everything into one file; only the addon stays where npm has put it. A warning is a fault. */
const BUNDLERS = {
  esbuild: `import { build } from 'TOOLS/esbuild/lib/main.js';
const { warnings } = await build({ entryPoints: [input], outfile: file, bundle: true, platform: 'node', format, logLevel: 'silent' });
if (warnings.length > 0) throw new Error(JSON.stringify(warnings));`,
  rollup: `import { rollup } from 'TOOLS/rollup/dist/es/rollup.js';
import commonjs from 'TOOLS/@rollup/plugin-commonjs/dist/es/index.js';
import { nodeResolve } from 'TOOLS/@rollup/plugin-node-resolve/dist/es/index.js';
const onwarn = ({ message }) => { throw new Error(message); };
const bundle = await rollup({ input, plugins: [nodeResolve({ preferBuiltins: true }), commonjs()], onwarn });
await bundle.write({ file, format, inlineDynamicImports: true });
await bundle.close();`,
  webpack: `import { basename, dirname } from 'node:path';
import webpack from 'TOOLS/webpack/lib/index.js';
const output = { path: dirname(file), filename: basename(file), ...(format === 'esm' ? { module: true, chunkFormat: 'module' } : {}) };
const options = { entry: input, mode: 'production', target: 'node20', experiments: { outputModule: format === 'esm' }, output };
const stats = await new Promise((resolve, reject) => webpack(options, (error, result) => (error ? reject(error) : resolve(result))));
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ errorDetails: true }));`,
};

/**
 * Those whose declarations use others' own, which need a newer TypeScript or looser settings, those of NATS and of vitest:
 * of these it is checked that they can be imported.
 */
const FOREIGN_TYPES = new Set(['@octoipc/nats', '@octoipc/conformance']);

/** What a bundle still asks of another package, which nobody may have installed where it runs. */
const OUTSIDE = /(?:\brequire\(|\bfrom|\bimport\(?)\s*["'](?:@octoipc\/|octoipc)[^"']*["']/;

async function bundle(stage, bundler, specifier, format) {
  const folder = stage.large;
  const name = `${bundler}-${specifier.replaceAll(/\W+/g, '')}`;
  const input = join(folder, `${name}.app.mjs`);
  writeFileSync(input, APPS[specifier] + USE);
  const file = join(folder, 'out', `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`);
  const build = join(folder, `${bundler}.build.mjs`);
  const program = BUNDLERS[bundler].replaceAll('TOOLS', join(tools, 'node_modules'));
  writeFileSync(build, `const [input, file, format] = process.argv.slice(2);\n${program}\n`);
  await stage.run(process.execPath, [build, input, file, format], { cwd: folder });
  const text = readFileSync(file, 'utf8');
  const outside = text.match(OUTSIDE);
  if (outside !== null) throw new Error(`it has ${outside[0]} left in it`);
  const printed = await stage.run(process.execPath, [file], { cwd: folder });
  if (printed !== 'bundled\n') throw new Error(printed);
  return `${Math.ceil(text.length / 1000)} kB`;
}

/**
 * Every entry of every package.
 *
 * @param compile - compiles the project, with further options
 */
export async function checkTypes(manifests, folder, module, compile) {
  const all = manifests.flatMap((manifest) => specifiers(manifest));
  const ours = all.filter((name) => !FOREIGN_TYPES.has(name));
  strictProject(folder, ours, module);
  await compile();
  strictProject(folder, all, module);
  await compile('--skipLibCheck');
  return `${all.length} entries`;
}

export async function rehearse(steps, stage) {
  const folder = stage.large;
  mkdirSync(join(folder, 'out'), { recursive: true });
  for (const bundler of Object.keys(BUNDLERS)) {
    for (const specifier of Object.keys(APPS)) {
      for (const format of ['esm', 'cjs']) {
        await steps.run('programs', `${bundler}: ${specifier} as ${format}`, () =>
          bundle(stage, bundler, specifier, format),
        );
      }
    }
  }
  for (const [title, compiler] of [
    ['TypeScript 5.4, the oldest', join(tools, 'node_modules', 'typescript-oldest', 'bin', 'tsc')],
    [
      'the TypeScript of the workspace',
      join(stage.tree, 'node_modules', 'typescript', 'bin', 'tsc'),
    ],
  ]) {
    for (const module of ['nodenext', 'esnext']) {
      await steps.run('programs', `${title}: ${module}`, async () => {
        const manifests = publicPackages().map(({ manifest }) => manifest);
        const names = manifests.map(({ name }) => name);
        const project = await stage.project('types', ...names, '@types/node@20');
        return checkTypes(manifests, project, module, (...args) =>
          stage.run(process.execPath, [compiler, '-p', '.', ...args], { cwd: project }),
        );
      });
    }
  }
}
