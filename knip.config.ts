import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KnipConfig } from 'knip';

interface Manifest {
  readonly exports?: Record<string, unknown>;
  readonly bin?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const root = import.meta.dirname;
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const manifest = (...path: string[]) => JSON.parse(read(...path, 'package.json')) as Manifest;

// A package's entries are what its manifest exports and runs, as in tsup.config.ts, and what is run by name.
function entries(name: string): string[] {
  const { exports = {}, bin = {} } = manifest('packages', name);
  const exported = Object.keys(exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => `src/${subpath === '.' ? 'index' : subpath.slice(2)}.ts`);
  const programs = Object.values(bin).map((file) =>
    file.replace(/^\.?\/?dist\//, 'src/').replace(/\.js$/, '.ts'),
  );
  return [
    ...exported,
    ...programs,
    'test/**/*.test.ts',
    'test/fixtures/**/*.{mjs,cjs}',
    'test/{soak*,measure}.mjs',
    'examples/*.mjs',
    // Set-up of the tests, where it is asked for.
    'test/{left-behind,run-left-behind}.ts',
    // What the benchmarks load and start by name.
    'src/{sides,suites}/*.mjs',
    'src/memory.mjs',
  ];
}

// Scripts start the tools by their names, the bindings find their headers by one, and oxlint its types.
const texts = readdirSync(join(root, 'scripts'))
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => read('scripts', name));
const started = [...texts, read('packages', 'core', 'addon.gypi'), "'oxlint-tsgolint'"].join('\n');
const tools = Object.keys(manifest().devDependencies ?? {}).filter((name) =>
  new RegExp(`['"]${name}['"/\\\\]`).test(started),
);

const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: [
        // Stands in vitest's place in a bundle.
        'scripts/plain/runner.mjs',
        'scripts/*.mjs',
        'scripts/rehearsal/*.mjs',
        'scripts/machine/page.mjs',
        'scripts/faults/child.mjs',
        'scripts/reliability/*.mjs',
        'scripts/reliability/api/player.mjs',
        'scripts/reliability/kills/*.mjs',
        'scripts/soak/*.mjs',
        'scripts/reliability/parsers/{bundle,targets,fake-*}.mjs',
        'rehearsal/use.mjs',
        'rehearsal/machine/*.mjs',
      ],
      // charts/ has dependencies of its own.
      ignore: ['scripts/templates/**', 'charts/**'],
      ignoreDependencies: tools,
    },
    ...Object.fromEntries(
      readdirSync(join(root, 'packages'))
        .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
        .map((name) => [
          `packages/${name}`,
          {
            entry: entries(name),
            project: ['{src,test,examples}/**/*.{ts,mjs,cjs}'],
            // Siblings: check-symmetry compares what sources import with what manifests name.
            ignoreDependencies: [/^(@octoipc\/|octoipc$)/],
          },
        ]),
    ),
  },
  ignoreExportsUsedInFile: true,
  // Tests and checks run programs of the system, and say so where one is missing.
  rules: { binaries: 'off' },
};

export default config;
