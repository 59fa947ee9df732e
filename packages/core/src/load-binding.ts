import { existsSync, readFileSync } from 'node:fs';
import type Module from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { IpcError, unsupportedError } from './errors.js';
import { prebuiltFolders } from './prebuilt.js';

/**
 * Loaded late, as all that an import does not need. Not by its name alone: webpack takes that for a request
 * to bundle what it loads.
 */
const modules = (): typeof Module => require('node:module') as typeof Module;

/**
 * Loads the native binding of a package, at its first use: the one that was built here if there is one,
 * else the one that the package brings along for this system.
 *
 * @param from - the path of the package's package.json, or the URL of a module of it. Within a bundle
 *   that is another file, or undefined: then the installed package is looked for from there, and from
 *   the program
 * @param name - the binding's name
 * @returns what the binding exports
 * @throws {IpcError} ERR_UNSUPPORTED where the system is not Linux, and where no binding loads
 */
export function loadBinding<T>(from: string | undefined, name: string): T {
  if (process.platform !== 'linux') throw unsupportedError(`@octoipc/${name}`);
  const folder = folderOf(from, name);
  if (folder === undefined) {
    throw new IpcError('ERR_UNSUPPORTED', {
      text: `the package @octoipc/${name} is not installed where this program could find its binding`,
      target: from,
      hint: `npm install @octoipc/${name} where the program runs: a bundle cannot hold native code`,
    });
  }
  const load = modules().createRequire(join(folder, 'package.json'));
  let cause: unknown;
  for (const file of candidates(folder, name)) {
    if (!existsSync(file)) continue;
    try {
      return load(file) as T;
    } catch (error) {
      cause ??= error;
    }
  }
  const where = `${process.platform}-${process.arch}`;
  throw new IpcError('ERR_UNSUPPORTED', {
    text:
      cause === undefined
        ? `@octoipc/${name} brings no native binding for ${where}`
        : `the native binding of @octoipc/${name} does not load on ${where}: ${messageOf(cause)}`,
    target: folder,
    hint: `build it from source, with python3, make and a C++20 compiler: ${buildCommand(load, folder)}`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Where a binding may be, the first choice first. */
function candidates(folder: string, name: string): string[] {
  // A build of another flavour (sanitizers) is named by a folder within the package, and by nothing else.
  const flavour = process.env['OCTOIPC_BUILD'];
  const folders = flavour === undefined ? ['build/Release', ...prebuiltFolders()] : [flavour];
  return folders.map((each) => join(folder, each, `${name}.node`));
}

function folderOf(from: string | undefined, name: string): string | undefined {
  const file = from?.startsWith('file:') === true ? fileURLToPath(from) : from;
  if (file !== undefined) {
    if (basename(file) === 'package.json') return dirname(file);
    // dist/index.js, or a chunk beside it.
    const folder = dirname(dirname(file));
    if (isPackage(folder, name)) return folder;
  }
  for (const start of [file, process.argv[1], join(process.cwd(), 'program')]) {
    if (start === undefined) continue;
    try {
      return dirname(modules().createRequire(start).resolve(`@octoipc/${name}/package.json`));
    } catch {
      // It is not installed there; another may find it.
    }
  }
  return undefined;
}

function isPackage(folder: string, name: string): boolean {
  try {
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    return (JSON.parse(text) as { name?: string }).name === `@octoipc/${name}`;
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What builds the binding, to be copied into a shell. */
function buildCommand(load: NodeJS.Require, folder: string): string {
  try {
    const core = dirname(load.resolve('@octoipc/core/package.json'));
    return `node '${join(core, 'dist', 'build.js')}' '${folder}'`;
  } catch {
    return `npx --no octoipc-build '${folder}'`;
  }
}
