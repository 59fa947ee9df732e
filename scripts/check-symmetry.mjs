// Whoever has read one package knows all: fails where a package departs from the common shape. The
// rules are those that follow, each a function from a package to what is wrong with it. With arguments,
// only the packages of those names.
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';

import { filesUnder, packages, root } from './workspace.mjs';

const MANIFEST_FIELDS = [
  'name',
  'version',
  'private',
  'description',
  'keywords',
  'license',
  'type',
  'main',
  'module',
  'types',
  'bin',
  'exports',
  'files',
  'sideEffects',
  'gypfile',
  'engines',
  'scripts',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'devDependencies',
];
const MECHANISM_FIELDS = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'type',
  'main',
  'module',
  'types',
  'exports',
  'files',
  'sideEffects',
  'gypfile',
  'engines',
  'scripts',
  'dependencies',
];
/** An adapter has what a mechanism has, but nothing native. */
const ADAPTER_FIELDS = MECHANISM_FIELDS.filter((field) => field !== 'gypfile');
const MECHANISM_ENTRIES = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'api.d.ts',
  'binding.gyp',
  'examples',
  'native',
  'package.json',
  'src',
  'test',
];
const HEADINGS = [
  'Install',
  'Usage',
  'When to use it',
  'API',
  'Errors',
  'Limits',
  'Guarantees',
  'See also',
];
const VAGUE_NAMES = new Set(['utils', 'util', 'lib', 'common', 'helpers', 'helper', 'misc']);
const ADAPTER_ENTRIES = MECHANISM_ENTRIES.filter(
  (entry) => entry !== 'binding.gyp' && entry !== 'native',
);
const CONFIG_FILE =
  /^(tsconfig.*\.json|.*\.config\.[cm]?[jt]s|\..*rc(\..*)?|\.npmrc|turbo\.json|\.clang-.*|\.editorconfig)$/;
/** Lines of code: blank ones and comments do not count, or documentation would be what is cut. */
const LINES = { '.ts': 240, '.cc': 400, '.h': 400 };
const TEST_LINES = 300;
const CONFORMANCE_LINES = 15;

/** What a package may depend on within the workspace, beside core; of other mechanisms: core only. */
const MAY_DEPEND = {
  core: [],
  conformance: [],
  fifo: ['pipe'],
  popen: ['pipe'],
};

const all = packages();
const mechanisms = all.filter(({ mechanism }) => mechanism);
const read = (pack, file) => readFileSync(join(pack.folder, file), 'utf8');
const has = (pack, file) => existsSync(join(pack.folder, file));
const linesOfCode = (text) => lines(text.replaceAll(/^\s*(\/\/.*|\/?\*.*|)\n/gm, ''));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const lines = (text) => text.trimEnd().split('\n').length;
const scoped = (name) => (name === 'octoipc' ? name : `@octoipc/${name}`);

/** The exports of one subpath, as every package has them; what only tests import is not bundled. */
function exported(name, file) {
  const types = `./dist/${file}.d.ts`;
  const required = { types: `./dist/${file}.d.cts`, default: `./dist/${file}.cjs` };
  if (name === 'conformance')
    return { import: { types, default: `./dist/${file}.js` }, require: required };
  return {
    module: `./dist/${file}.module.js`,
    require: required,
    'module-sync': { types, default: `./dist/${file}.js` },
    import: { types, default: `./dist/${file}.import.js` },
  };
}

const RULES = {
  *'the manifest has the common fields, in the common order'(pack) {
    const { name, manifest, mechanism, adapter } = pack;
    const fields = Object.keys(manifest);
    const own = adapter ? ADAPTER_FIELDS : MANIFEST_FIELDS.filter((field) => field in manifest);
    const order = mechanism ? MECHANISM_FIELDS : own;
    if (!same(fields, order))
      yield `package.json has ${fields.join(' ')}; wanted ${order.join(' ')}`;
    if (manifest.name !== scoped(name)) yield `package.json is named ${manifest.name}`;
    if (manifest.license !== 'MIT') yield 'package.json: license is not MIT';
    if (manifest.type !== 'module') yield 'package.json: type is not module';
    if (manifest.engines?.node !== '>=20') yield 'package.json: engines.node is not >=20';
  },

  *'every subpath is exported in the same shape'({ name, manifest }) {
    if (manifest.private === true && manifest.exports === undefined) return;
    const subpaths = Object.keys(manifest.exports ?? {});
    if (subpaths[0] !== '.') yield 'package.json: the first of exports is not "."';
    if (subpaths.at(-1) !== './package.json')
      yield 'package.json: the last of exports is not "./package.json"';
    for (const subpath of subpaths.slice(0, -1)) {
      const file = subpath === '.' ? 'index' : subpath.slice(2);
      if (!same(manifest.exports[subpath], exported(name, file)))
        yield `package.json: exports["${subpath}"] has another shape`;
    }
    const main = { main: manifest.main, module: manifest.module, types: manifest.types };
    const wanted = {
      main: './dist/index.cjs',
      module: './dist/index.js',
      types: './dist/index.d.ts',
    };
    if (!same(main, wanted))
      yield `package.json: main, module and types are not ${Object.values(wanted).join(', ')}`;
  },

  *'scripts are the same everywhere'({ name, manifest, mechanism }) {
    const { scripts = {} } = manifest;
    if (scripts.build !== undefined && scripts.build !== 'tsup --config ../../tsup.config.ts')
      yield 'package.json: another build script';
    if (!mechanism) return;
    const wanted = {
      build: 'tsup --config ../../tsup.config.ts',
      'build:native': 'node ../../scripts/build-native.mjs',
      test: `vitest run --root ../.. --project ${name} --project '${name} (thread)'`,
    };
    if (!same(scripts, wanted)) yield `package.json: scripts are not ${JSON.stringify(wanted)}`;
    if (manifest.gypfile !== false)
      yield 'package.json: gypfile is not false, so npm would compile at installation';
  },

  *'a mechanism has the common tree and nothing more'(pack) {
    if (!pack.mechanism && !pack.adapter) return;
    const entries = pack.adapter ? ADAPTER_ENTRIES : MECHANISM_ENTRIES;
    const present = new Set(
      filesUnder(pack.folder).map((file) => relative(pack.folder, file).split('/')[0]),
    );
    for (const entry of entries) {
      if (entry === 'CHANGELOG.md') continue;
      if (!present.has(entry)) yield `${entry} is missing`;
    }
    // What a package ships beside its code, it says in `files`: the C header of a layout, a module.
    const shipped = pack.manifest.files ?? [];
    for (const entry of present) {
      if (!entries.includes(entry) && !shipped.includes(entry))
        yield `${entry} does not belong here`;
    }
    if (pack.adapter) return;
    for (const file of [
      `native/${pack.name}.cc`,
      'src/index.ts',
      'src/binding.ts',
      'test/conformance.test.ts',
    ]) {
      if (!has(pack, file)) yield `${file} is missing`;
    }
  },

  *'the licence is in the package, as npm takes no link along'(pack) {
    if (pack.manifest.private === true) return;
    if (!has(pack, 'LICENSE')) yield 'LICENSE is missing';
    else if (read(pack, 'LICENSE') !== readFileSync(join(root, 'LICENSE'), 'utf8'))
      yield 'LICENSE is not that of the root';
  },

  *'what changes is told: a changelog, or a changeset that will make one'(pack) {
    if (pack.manifest.private === true || has(pack, 'CHANGELOG.md')) return;
    const told = filesUnder(join(root, '.changeset')).some(
      (file) =>
        extname(file) === '.md' && readFileSync(file, 'utf8').includes(`'${pack.manifest.name}':`),
    );
    if (!told)
      yield `neither CHANGELOG.md nor a file in .changeset that names '${pack.manifest.name}'`;
  },

  *'the README has the common headings, in the common order'(pack) {
    if (pack.manifest.private === true) return;
    if (!has(pack, 'README.md')) {
      yield 'README.md is missing';
      return;
    }
    const [title, ...rest] = headings(read(pack, 'README.md'));
    if (title !== `# ${pack.manifest.name}`)
      yield `README.md begins with ${title}, not # ${pack.manifest.name}`;
    if (!pack.mechanism && !pack.adapter) return;
    const found = rest
      .filter((heading) => heading.startsWith('## '))
      .map((heading) => heading.slice(3));
    const ordered =
      found.length === HEADINGS.length &&
      HEADINGS.every((heading, i) => found[i].startsWith(heading));
    if (!ordered) yield `README.md has ${found.join(', ')}; wanted ${HEADINGS.join(', ')}`;
  },

  *'binding.gyp names its target and sources and includes the common flags'(pack) {
    if (!pack.mechanism || !has(pack, 'binding.gyp')) return;
    const text = read(pack, 'binding.gyp');
    if (lines(text) > 12) yield 'binding.gyp is longer than a target needs';
    if (!text.includes(`'target_name': '${pack.name}'`))
      yield `binding.gyp: the target is not named ${pack.name}`;
    if (!text.includes("'includes': ['../core/addon.gypi']"))
      yield 'binding.gyp does not include ../core/addon.gypi';
    const keys = [...text.matchAll(/'(\w+)'\s*:/g)].map(([, key]) => key);
    const other = keys.filter(
      (key) => !['targets', 'target_name', 'sources', 'includes', 'libraries'].includes(key),
    );
    if (other.length > 0) yield `binding.gyp sets ${other.join(', ')}, which is for addon.gypi`;
  },

  *'src/index.ts has the package doc and exports, nothing else'(pack) {
    if ((!pack.mechanism && !pack.adapter) || !has(pack, 'src/index.ts')) return;
    const text = read(pack, 'src/index.ts');
    if (!/^\/\*\*[\s\S]*?@packageDocumentation\s*\*\//.test(text))
      yield 'src/index.ts does not begin with the package doc';
    const code = text
      .replaceAll(/\/\*[\s\S]*?\*\//g, '')
      .replaceAll(/export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'[^']+';/g, '')
      .trim();
    if (code !== '') yield `src/index.ts has more than exports: ${code.split('\n')[0]}`;
  },

  *'src/binding.ts alone loads the addon'(pack) {
    if (!pack.mechanism) return;
    for (const file of filesUnder(join(pack.folder, 'src'))) {
      const loads = /\bloadBinding\b|\.node['"]|process\.dlopen/.test(readFileSync(file, 'utf8'));
      if (loads && basename(file) !== 'binding.ts')
        yield `${relative(pack.folder, file)} loads the addon`;
      if (!loads && relative(pack.folder, file) === 'src/binding.ts')
        yield 'src/binding.ts does not load the addon';
    }
  },

  *'configuration is at the root, and files are named for their idea'(pack) {
    for (const file of filesUnder(pack.folder)) {
      const path = relative(pack.folder, file);
      if (CONFIG_FILE.test(basename(file))) yield `${path} is a configuration file`;
      const parts = path.split('/').map((part) => part.replace(/\..*$/, ''));
      for (const part of parts) if (VAGUE_NAMES.has(part)) yield `${path}: "${part}" names no idea`;
      const kind = LINES[extname(file)];
      const limit = kind !== undefined && path.startsWith('test/') ? TEST_LINES : kind;
      const length =
        limit === undefined || path === 'api.d.ts' ? 0 : linesOfCode(readFileSync(file, 'utf8'));
      if (length > limit) yield `${path} has ${length} lines of code, of ${limit} at most`;
    }
  },

  *'dependencies point one way'(pack) {
    const { name, manifest } = pack;
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    const siblings = Object.keys(declared).filter((other) =>
      all.some(({ manifest: { name: theirs } }) => theirs === other),
    );
    const permitted =
      MAY_DEPEND[name] ??
      (pack.mechanism || pack.adapter
        ? []
        : all.map((other) => other.name).filter((other) => other !== name));
    const allowed = new Set([...(name === 'core' ? [] : ['core']), ...permitted].map(scoped));
    for (const other of siblings) if (!allowed.has(other)) yield `depends on ${other}`;
    if ((pack.mechanism || pack.adapter) && !siblings.includes('@octoipc/core'))
      yield 'does not depend on @octoipc/core';
    // Sources import what the manifest names, all of it; tests and examples find any sibling.
    const imported = new Set(
      filesUnder(join(pack.folder, 'src')).flatMap((file) =>
        [
          ...readFileSync(file, 'utf8').matchAll(
            /^(?! \*).*(?:from |import\(|>\()'(@octoipc\/[\w-]+)/gm,
          ),
        ].map(([, specifier]) => specifier),
      ),
    );
    for (const other of imported) {
      if (other !== manifest.name && !(other in declared)) yield `src imports ${other}`;
    }
    for (const other of siblings) if (!imported.has(other)) yield `does not use ${other}`;
  },

  *'the conformance suite is joined in a few lines'(pack) {
    if (!pack.mechanism || !has(pack, 'test/conformance.test.ts')) return;
    const text = read(pack, 'test/conformance.test.ts');
    if (lines(text) > CONFORMANCE_LINES)
      yield `test/conformance.test.ts has ${lines(text)} lines, of ${CONFORMANCE_LINES} at most`;
    if (!text.includes('@octoipc/conformance'))
      yield 'test/conformance.test.ts does not import @octoipc/conformance';
  },

  *'octoipc has each mechanism as a dependency, a namespace and a subpath'(pack) {
    if (pack.name !== 'octoipc') return;
    const { dependencies = {}, exports = {} } = pack.manifest;
    for (const { name, manifest } of mechanisms) {
      if (!(manifest.name in dependencies)) yield `does not depend on ${manifest.name}`;
      if (!(`./${name}` in exports)) yield `does not export ./${name}`;
      if (!has(pack, `src/${name}.ts`)) yield `src/${name}.ts is missing`;
      const index = has(pack, 'src/index.ts') ? read(pack, 'src/index.ts') : '';
      if (!new RegExp(`\\b${camel(name)}\\b`).test(index))
        yield `src/index.ts does not export the namespace ${camel(name)}`;
    }
  },

  *'octoipc knows each adapter: an optional peer, and a scheme'(pack) {
    if (pack.name !== 'octoipc') return;
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = pack.manifest;
    for (const { name, manifest } of all.filter(({ adapter }) => adapter)) {
      if (manifest.name in dependencies) yield `installs ${manifest.name} for everybody`;
      if (!(manifest.name in peerDependencies)) yield `has no peer ${manifest.name}`;
      if (peerDependenciesMeta[manifest.name]?.optional !== true)
        yield `the peer ${manifest.name} is not optional`;
      if (!has(pack, `src/channels/schemes/${name}.ts`))
        yield `src/channels/schemes/${name}.ts is missing`;
    }
  },
};

/** The headings of a Markdown text, those within code left out. */
function headings(text) {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').match(/^#{1,6} .*$/gm) ?? [];
}

/** A package's name as a JavaScript name. */
function camel(name) {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

let wrong = 0;
const wanted = process.argv.slice(2);
for (const pack of all) {
  if (wanted.length > 0 && !wanted.includes(pack.name)) continue;
  for (const [rule, check] of Object.entries(RULES)) {
    for (const fault of check(pack)) {
      wrong += 1;
      console.log(`packages/${pack.name}: ${fault}\n    (${rule})`);
    }
  }
}
for (const name of ['pipe', 'fifo', 'mq', 'sem', 'shm', 'signal', 'socket', 'popen']) {
  if (existsSync(join(root, 'packages', name)) && !all.some((pack) => pack.name === name)) {
    wrong += 1;
    console.log(`packages/${name} has no package.json`);
  }
}
console.log(`${all.length} packages, ${Object.keys(RULES).length} rules, ${wrong} departures`);
process.exitCode = wrong === 0 ? 0 : 1;
