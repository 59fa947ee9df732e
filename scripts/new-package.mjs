// npm run new -- NAME: a new mechanism package, which builds, is tested and is exported by octoipc at
// once. Begin by replacing its event counter, file by file, with the mechanism's own calls.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { run } from './run.mjs';
import { filesUnder, readJson, root } from './workspace.mjs';

const { positionals } = parseArgs({ allowPositionals: true });
const [name] = positionals;
if (positionals.length !== 1 || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
  console.error(
    'usage: npm run new -- NAME   (small letters, digits and hyphens: mq, shared-mutex)',
  );
  process.exit(2);
}
const folder = join(root, 'packages', name);
if (existsSync(folder)) {
  console.error(`packages/${name} exists already`);
  process.exit(1);
}

const camel = name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
const pascal = camel[0].toUpperCase() + camel.slice(1);
const version = (of) => readJson(join(root, 'packages', of, 'package.json')).version;
const words = {
  __name__: name,
  __camel__: camel,
  __Pascal__: pascal,
  __NAME__: name.toUpperCase(),
  __core__: version('core'),
};
const fill = (text) =>
  text.replaceAll(/__(?:name|camel|Pascal|NAME|core)__/g, (word) => words[word]);

function copyTemplate() {
  const template = join(import.meta.dirname, 'templates', 'mechanism');
  for (const file of filesUnder(template)) {
    const target = join(folder, fill(relative(template, file)));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, fill(readFileSync(file, 'utf8')));
  }
}

function writeChangeset() {
  const lines = ['---', `'@octoipc/${name}': minor`, "'octoipc': minor", '---', ''];
  const file = join(root, '.changeset', `new-${name}.md`);
  writeFileSync(file, [...lines, `A new mechanism: \`@octoipc/${name}\`.`, ''].join('\n'));
}

/** A copy of an object in which one entry comes before `./package.json`. */
function beforeManifest(exports, subpath, value) {
  const entries = Object.entries(exports);
  const at = entries.findIndex(([key]) => key === './package.json');
  return Object.fromEntries(entries.toSpliced(at, 0, [subpath, value]));
}

/** octoipc depends on the package, and has it as a subpath and as a namespace. */
function exportFromOctoipc() {
  const meta = join(root, 'packages', 'octoipc');
  const manifest = readJson(join(meta, 'package.json'));
  const dependencies = { ...manifest.dependencies, [`@octoipc/${name}`]: '^0.0.0' };
  manifest.dependencies = Object.fromEntries(
    Object.entries(dependencies).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  manifest.exports = beforeManifest(manifest.exports, `./${name}`, {
    module: `./dist/${name}.module.js`,
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
    'module-sync': { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.import.js` },
  });
  writeFileSync(join(meta, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  writeFileSync(
    join(meta, 'src', `${name}.ts`),
    `/**\n * All of \`@octoipc/${name}\`.\n *\n * @packageDocumentation\n */\nexport * from '@octoipc/${name}';\n`,
  );
  const namespaces = join(meta, 'src', 'namespaces.ts');
  const type = `typeof import('@octoipc/${name}')`;
  writeFileSync(
    namespaces,
    `${readFileSync(namespaces, 'utf8')}
/** \`@octoipc/${name}\`, which loads when something is first asked of this namespace. */
export const ${camel} = lazy<${type}>(() => require('@octoipc/${name}') as unknown);\n`,
  );
  const index = join(meta, 'src', 'index.ts');
  writeFileSync(
    index,
    readFileSync(index, 'utf8').replace(
      /export \{ ([^}]*?),? \} from '\.\/namespaces\.js';/,
      (_, names) => `export { ${names}, ${camel} } from './namespaces.js';`,
    ),
  );
}

async function step(file, args) {
  const status = await run(file, args);
  if (status !== 0) process.exit(status);
}

copyTemplate();
exportFromOctoipc();
writeChangeset();
await step('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
await step(process.execPath, [
  join(import.meta.dirname, 'format.mjs'),
  '--write',
  `packages/${name}`,
  'packages/octoipc',
  '.changeset',
]);
await readyOrExit();
await step(process.execPath, [
  join(import.meta.dirname, 'api-golden.mjs'),
  '--update',
  name,
  'octoipc',
]);
console.log(`packages/${name} is there: npm test -- --project '${name}*'`);
if (existsSync(join(root, 'packages', 'octoipc', 'src', 'tour'))) {
  console.log('next: its calls, its README, and a stop in packages/octoipc/src/tour');
}
