import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

import { defineConfig, type Options } from 'tsup';

interface Manifest {
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
const lazyBuiltins: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement'
        ? { path, namespace: 'builtin', sideEffects: false }
        : { path, external: true },
    );
    build.onLoad({ filter: /^/, namespace: 'builtin' }, async ({ path }) => {
      // In a bundle of ES modules there is no require; getBuiltinModule is of Node 20.16.
      const load = `(process.getBuiltinModule?.('${path}') ?? require('${path}'))`;
      const exports = Object.entries((await import(path)) as object).map(([name, value]) =>
        name === 'default'
          ? `export default /* @__PURE__ */ (() => ${load})();`
          : isPlainFunction(name, value)
            ? `export function ${name}(...args) { return ${load}.${name}(...args); }`
            : `export const ${name} = /* @__PURE__ */ (() => ${load}.${name})();`,
      );
      return { contents: exports.join('\n') };
    });
  },
};

/**
 * What `import` gets: the names of what `require` gets. So there is one copy of each class in a process,
 * however it came in; and Node need not look through the whole file for the names, which takes longer than
 * all of the import. A bundler has to see what is imported: it takes the `module` condition. The types are
 * those of what `require` gets, too: so a class is the same class to the compiler, however it came in.
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
      write(`${name}.js`, [
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
          esbuildPlugins: [sharedEntries('cjs'), lazyBuiltins],
          removeNodeProtocol: false,
          // Where a module is, as far as it knows: in a bundle of ES modules it does not.
          define: { 'import.meta.url': '__moduleFile' },
          banner: {
            js: "var __moduleFile=typeof __filename==='string'?__filename:undefined;",
          },
          plugins: [modulesOf],
          // Plain values in place of esbuild's getters, which would be called at each use.
          footer: { js: 'module.exports={...module.exports};' },
        },
        { entry, format: 'cjs', dts: { ...dts, only: true } },
      ]
    : [{ ...common, format: ['esm', 'cjs'], shims: true, splitting: true, dts }];

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
