// Packs a package, and weighs what came out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { capture } from './run.mjs';

/** The code, its types with all their docs, and the sources of the binding. */
const MOST_PACKED = 60_000;

/** What has more in it than one mechanism: docs/decisions.md says what. */
const MORE_PACKED = {
  '@octoipc/core': 102_000,
  '@octoipc/sem': 72_000,
  '@octoipc/socket': 112_000,
  '@octoipc/shm': 124_000,
  '@octoipc/conformance': 80_000,
  octoipc: 98_000,
};
const MOST_OF_A_BINARY = 300_000;

/** Unpacked, binaries aside, it is so many times as much: text with its source maps, which are packed well. */
const MOST_UNFOLDING = 8;

export function kilobytes(bytes) {
  return (bytes / 1000).toFixed(1);
}

/**
 * Packs a package as it is published.
 *
 * @param pack - of the workspace
 * @param into - the folder of the tarball
 * @returns `{ name, file, packed, unpacked, withoutBinaries, binaries }`, in bytes
 */
export async function packPackage({ manifest, folder }, into) {
  const args = ['pack', '--json', '--ignore-scripts', `--pack-destination=${into}`];
  const { status, output, stdout } = await capture('npm', args, { cwd: folder });
  if (status !== 0) throw new Error(`npm pack ${manifest.name}: status ${status}\n${output}`);
  const [{ filename, size, unpackedSize, files }] = JSON.parse(stdout);
  const binaries = files.filter(({ path }) => path.endsWith('.node'));
  const compressed = binaries.map(({ path }) => gzipSync(readFileSync(join(folder, path))).length);
  return {
    name: manifest.name,
    file: join(into, filename),
    packed: size,
    unpacked: unpackedSize,
    withoutBinaries: size - compressed.reduce((sum, each) => sum + each, 0),
    binaries,
    cut: files
      .filter(({ path }) => /\.c?js$/.test(path))
      .filter(({ path }) => /\\\n/.test(readFileSync(join(folder, path), 'utf8')))
      .map(({ path }) => path),
  };
}

/** What is too heavy, and what bundlers would spoil. */
export function* faultsOf({ name, unpacked, withoutBinaries, binaries, cut }) {
  const most = MORE_PACKED[name] ?? MOST_PACKED;
  const text = unpacked - binaries.reduce((sum, { size }) => sum + size, 0);
  if (text > most * MOST_UNFOLDING)
    yield `has ${kilobytes(text)} kB unpacked without binaries, of ${kilobytes(most * MOST_UNFOLDING)} at most`;
  if (withoutBinaries > most)
    yield `has ${kilobytes(withoutBinaries)} kB packed without binaries, of ${kilobytes(most)} at most`;
  for (const path of cut) yield `has a string that goes over lines, which rollup indents: ${path}`;
  for (const { path, size } of binaries)
    if (size > MOST_OF_A_BINARY)
      yield `has a binary of ${kilobytes(size)} kB, of ${kilobytes(MOST_OF_A_BINARY)} at most: ${path}`;
}
