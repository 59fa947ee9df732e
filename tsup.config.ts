import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';
import { defineConfig, type Options } from 'tsup';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, unknown>;
  readonly bin?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

// One configuration for all packages: the entries are what the package's manifest exports and runs.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const exported = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => (subpath === '.' ? 'index' : subpath.slice(2)));
const programs = Object.values(manifest.bin ?? {}).map((file) =>
  file.replace(/^\.?\/?dist\//, '').replace(/\.js$/, ''),
);
const entry = exported.map((name) => `src/${name}.ts`);

/** An entry that imports another one shares it: each is in one file. */
const sharedEntries = (
  extension: 'cjs' | 'js',
): NonNullable<Options['esbuildPlugins']>[number] => ({
  name: 'shared-entries',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, importer }) => {
      const name = relative('src', resolve(dirname(importer), path)).replace(/\.js$/, '');
      return exported.includes(name)
        ? { path: `./${name}.${extension}`, external: true }
        : undefined;
    });
  },
});

/** No class, and nothing that has more to it, as `inspect.custom`. */
const isPlainFunction = (name: string, value: unknown): boolean =>
  typeof value === 'function' &&
  /^[a-z]/.test(name) &&
  Reflect.ownKeys(value).every((key) => ['length', 'name', 'prototype'].includes(String(key)));

/**
 * Node's functions are looked up when they are called: to load the modules at import would take as long
 * as all of ours does. What is no plain function is loaded at import, if it is used.
 */
const lazyBuiltins = (
  load: (path: string) => string,
): NonNullable<Options['esbuildPlugins']>[number] => ({
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind, namespace }) => {
      if (kind === 'import-statement') return { path, namespace: 'builtin', sideEffects: false };
      return kind === 'require-call' && namespace === 'file'
        ? { path, namespace: 'required' }
        : { path, external: true };
    });
    build.onLoad({ filter: /^/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = ${load(path)};`,
    }));
    build.onLoad({ filter: /^/, namespace: 'builtin' }, async ({ path }) => {
      const exports = Object.entries((await import(path)) as object).map(([name, value]) =>
        name === 'default'
          ? `export default /* @__PURE__ */ (() => ${load(path)})();`
          : isPlainFunction(name, value)
            ? `export function ${name}(...args) { return ${load(path)}.${name}(...args); }`
            : `export const ${name} = /* @__PURE__ */ (() => ${load(path)}.${name})();`,
      );
      return { contents: exports.join('\n') };
    });
  },
});

/** In a bundle of ES modules there is no require; getBuiltinModule is of Node 20.16. */
const required = (path: string): string =>
  `(process.getBuiltinModule?.('${path}') ?? require('${path}'))`;

/** Who takes the condition `module-sync` has it. */
const builtin = (path: string): string => `process.getBuiltinModule('${path}')`;

/**
 * What is loaded late is asked for as in the other format; nothing is made at import for that. That it begins
 * with an export tells publint, which sees none of those at the end of a long line, what it is.
 */
const LATE = `export {};
var require = (id) =>
  process.getBuiltinModule(id) ?? process.getBuiltinModule('node:module').createRequire(import.meta.url)(id);`;

/** Where a CommonJS module is, as far as it knows: in a bundle of ES modules it does not. */
const PLACE = "'use strict';var __moduleFile=typeof __filename==='string'?__filename:undefined;";
const PLACE_OF_COMMONJS = "(typeof __dirname==='string'?__dirname:'')";

type Mapped = Exclude<
  Parameters<NonNullable<NonNullable<Options['plugins']>[number]['renderChunk']>>[1]['map'],
  string | null | undefined
>;

/** A line that goes on in the next one, within a string: its last backslash is none of a pair. */
const GOES_ON = /(?<!\\)(?:\\\\)*\\$/;

/**
 * Joins the strings that esbuild has cut over lines, as it does where lines have a limit: a bundler that indents them
 * (rollup) would put the indentation into the strings.
 */
const wholeStrings: NonNullable<Options['plugins']>[number] = {
  name: 'whole-strings',
  renderChunk(code, { map }) {
    const lines = code.split('\n');
    // The first plugin gets the map as text, whatever its type says.
    const source = (typeof map === 'string' ? JSON.parse(map) : map) as Mapped | null | undefined;
    const places = source == null ? [] : decode(source.mappings);
    const joined: string[] = [];
    const moved: SourceMapSegment[][] = [];
    for (const [number, line] of lines.entries()) {
      const last = joined.at(-1);
      const own = places[number] ?? [];
      if (last === undefined || !GOES_ON.test(last)) {
        joined.push(line);
        moved.push(own);
        continue;
      }
      const before = last.length - 1;
      joined[joined.length - 1] = last.slice(0, before) + line;
      for (const [column, ...rest] of own)
        moved.at(-1)!.push([column + before, ...rest] as SourceMapSegment);
    }
    if (joined.length === lines.length) return undefined;
    return {
      code: joined.join('\n'),
      map: source == null ? null : { ...source, mappings: encode(moved) },
    };
  },
};

/** How esbuild exports as CommonJS: a getter for each name, all copied as the module begins. */
const GETTERS =
  /__export\(\s*(\w+),\s*\{([^{}]*)\}\s*\);\s*module\s*\.\s*exports\s*=\s*__toCommonJS\(\s*\1\s*\);/;

/** And as an ES module, at its end. */
const EXPORTS = /export\s*\{([^{}]*)\};(?=\s*(?:\/\/# sourceMappingURL=.*\s*)?$)/;

/** What both formats of an entry share, by package, version, entry and folder: two installed copies are two. */
const shared = (file: string, folder: string): string =>
  `"${manifest.name}@${manifest.version}/${basename(file).replace(/\.c?js$/, '')} "+${folder}`;
const SHARED = 'globalThis[Symbol.for("octoipc.modules")]??=new Map';

/**
 * Whichever of an entry's two formats comes first, the other one exports the same. Plain values in place of
 * esbuild's getters, set when all of the module has run: what the getters cost at import is half of what a
 * package's own code does, and each use would call one. As many lines as before: the map of sources holds.
 */
const oneCopy: NonNullable<Options['plugins']>[number] = {
  name: 'one-copy',
  renderChunk(code, { path, map }) {
    if (!exported.includes(basename(path).replace(/\.c?js$/, ''))) return undefined;
    const made = path.endsWith('.cjs') ? sharedCommonJs(code, path) : sharedModule(code, path);
    return made === undefined ? undefined : { code: made, map: map ?? null };
  },
};

function sharedCommonJs(code: string, path: string): string | undefined {
  const getters = GETTERS.exec(code);
  if (getters === null) {
    if (/__export\(\s*\w+_exports/.test(code)) throw new Error(`${path}: how does it export?`);
    return undefined; // It only hands on what others export.
  }
  const [ceremony, , names = ''] = getters;
  const values = names.replaceAll(/\(\)=>\s*/g, '');
  const lines = '\n'.repeat(ceremony.split('\n').length - 1);
  const begin = `var __key=${shared(path, PLACE_OF_COMMONJS)},__all=${SHARED};if(__all.has(__key))module.exports=__all.get(__key);else{`;
  const body = code.replace(ceremony, () => lines).replace(PLACE, () => `${PLACE}${begin}`);
  return `${body}\n__all.set(__key,module.exports={${values}})}\n`;
}

function sharedModule(code: string, path: string): string | undefined {
  const list = EXPORTS.exec(code);
  if (list === null) return undefined;
  const names = list[1]!.split(',').map((name) => name.trim().split(/\s+as\s+/));
  if (names.some(([local]) => local === '')) return undefined;
  const all = names.map(([local, name = local]) => `${name}:${local}`);
  const taken = names.map(([local, name = local], index) => `${name}:__${index}`);
  const again = names.map(([local, name = local], index) => `__${index} as ${name}`);
  const own = `((all,key,own)=>all.get(key)??(all.set(key,own),own))(${SHARED},${shared(path, 'import.meta.dirname')},{${all}})`;
  return code.replace(list[0], () => `var{${taken}}=${own};export{${again}};`);
}

/**
 * There is one copy of each class in a process, however it came in. `require` gets CommonJS: to terminate a worker
 * of Node 20 or 22 just as it requires an ES module ends the process. `import` gets an ES module where Node has the
 * condition `module-sync` (20.19, 22.12 and later), elsewhere the names of what `require` gets. A bundler has to see
 * what is imported: it takes the `module` condition. The types are those of what `require` gets, too: so a class is
 * the same class to the compiler, however it came in.
 */
const modulesOf: NonNullable<Options['plugins']>[number] = {
  name: 'modules',
  buildEnd() {
    const load = createRequire(resolve('package.json'));
    for (const name of exported) {
      const names = Object.keys(load(`./dist/${name}.cjs`) as object).join(', ');
      const write = (file: string, lines: string[]): void =>
        writeFileSync(join('dist', file), `${lines.join('\n')}\n`);
      write(`${name}.d.ts`, [`export * from './${name}.cjs';`]);
      write(`${name}.import.js`, [
        "import { createRequire } from 'node:module';",
        `const { ${names} } = createRequire(import.meta.url)('./${name}.cjs');`,
        `export { ${names} };`,
      ]);
      write(`${name}.module.js`, [
        `import shared from './${name}.cjs';`,
        `export const { ${names} } = shared;`,
      ]);
    }
  },
};

const common: Options = {
  entry,
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  esbuildOptions(options) {
    // Half of what an import costs is the parsing of comments; names stay, for stack traces.
    options.minifyWhitespace = true;
    // An uncaught error prints the line where it was thrown.
    options.lineLimit = 120;
  },
};

const dts: Options['dts'] = {
  compilerOptions: {
    ignoreDeprecations: '6.0',
    stripInternal: true,
    allowJs: false,
    checkJs: false,
  },
};

/** A package for the users of one that is ESM only (vitest) cannot be the other thing. */
const library: Options[] =
  manifest.peerDependencies?.['vitest'] === undefined
    ? [
        {
          ...common,
          format: 'cjs',
          splitting: false,
          esbuildPlugins: [sharedEntries('cjs'), lazyBuiltins(required)],
          removeNodeProtocol: false,
          define: { 'import.meta.url': '__moduleFile' },
          banner: { js: PLACE },
          plugins: [wholeStrings, oneCopy, modulesOf],
        },
        {
          ...common,
          format: 'esm',
          // What octoipc imports late is in files of its own. Elsewhere a file more costs half a millisecond.
          splitting: manifest.name === 'octoipc',
          esbuildPlugins: [sharedEntries('js'), lazyBuiltins(builtin)],
          removeNodeProtocol: false,
          banner: { js: LATE },
          plugins: [wholeStrings, oneCopy],
        },
        { entry, format: 'cjs', dts: { ...dts, only: true } },
      ]
    : [
        {
          ...common,
          format: ['esm', 'cjs'],
          shims: true,
          splitting: true,
          dts,
          plugins: [wholeStrings],
        },
      ];

// Before any of the builds below, which run side by side, has written something.
rmSync('dist', { recursive: true, force: true });

export default defineConfig([
  ...library,
  ...(programs.length === 0
    ? []
    : [
        {
          entry: programs.map((name) => `src/${name}.ts`),
          format: ['esm' as const],
          target: 'node20',
          platform: 'node' as const,
          sourcemap: true,
          esbuildPlugins: [sharedEntries('js')],
        },
      ]),
]);
