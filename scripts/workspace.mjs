// What is in the workspace: its folders, and the packages with what the other scripts ask of them.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = dirname(import.meta.dirname);

/** Where scripts leave what nobody commits. */
export const scratch = join(root, 'node_modules', '.cache', 'octoipc');

/** Packages that are no mechanism: they carry the others. */
const FOUNDATIONS = new Set(['core', 'conformance', 'octoipc', 'bench']);

/** Packages that adapt something that is no mechanism of the system: without native code, and optional. */
const ADAPTERS = new Set(['nats']);

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** One package: its short name, folder, manifest, and whether it is a mechanism or an adapter. */
function describe(name) {
  const folder = join(root, 'packages', name);
  const manifest = readJson(join(folder, 'package.json'));
  const adapter = ADAPTERS.has(name);
  return { name, folder, manifest, mechanism: !adapter && !FOUNDATIONS.has(name), adapter };
}

/** Every package that has a manifest, by name. */
export function packages() {
  return readdirSync(join(root, 'packages'))
    .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
    .toSorted()
    .map(describe);
}

/** The packages that are published. */
export function publicPackages() {
  return packages().filter(({ manifest }) => manifest.private !== true);
}

/** The import specifiers that a manifest exports, `./package.json` aside. */
export function specifiers({ name, exports = {} }) {
  return Object.keys(exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => name + subpath.slice(1));
}

/** All files under a folder, in order; what is built or installed is left out. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isFile()) return [path];
      const generated = ['node_modules', 'dist', 'build', '.turbo', 'coverage'];
      return entry.isDirectory() && !generated.includes(entry.name) ? filesUnder(path) : [];
    });
}
