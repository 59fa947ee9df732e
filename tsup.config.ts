import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

interface Manifest {
  readonly exports: Record<string, unknown>;
  readonly bin?: Record<string, string>;
}

// One configuration for all packages: the entries are what the package's manifest exports and runs.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const exported = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => (subpath === '.' ? 'index' : subpath.slice(2)));
const programs = Object.values(manifest.bin ?? {}).map((file) =>
  file.replace(/^\.?\/?dist\//, '').replace(/\.js$/, ''),
);

export default defineConfig([
  {
    entry: exported.map((name) => `src/${name}.ts`),
    format: ['esm', 'cjs'],
    target: 'node20',
    platform: 'node',
    shims: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    esbuildOptions(options) {
      // Half of what an import costs is the parsing of comments; names stay, for stack traces.
      options.minifyWhitespace = true;
      // An uncaught error prints the line where it was thrown.
      options.lineLimit = 120;
    },
    dts: {
      compilerOptions: {
        ignoreDeprecations: '6.0',
        stripInternal: true,
        allowJs: false,
        checkJs: false,
      },
    },
  },
  ...(programs.length === 0
    ? []
    : [
        {
          entry: programs.map((name) => `src/${name}.ts`),
          format: ['esm' as const],
          target: 'node20',
          platform: 'node' as const,
          sourcemap: true,
        },
      ]),
]);
