#!/usr/bin/env node
/* eslint-disable no-console -- a command tells its user. */
// octoipc-build FOLDER|NAME …: builds the bindings of installed packages from their sources, where none of
// the binaries that they bring along fits. Takes node-gyp and node-addon-api as it finds them, and asks
// npm for what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** What builds a binding, in versions that this package was tested with. */
const TOOLS = { 'node-gyp': '^12.4.0', 'node-addon-api': '^8.9.2' };

function folderOf(what: string): string {
  if (isAbsolute(what) || existsSync(join(what, 'package.json'))) return resolve(what);
  const name = what.startsWith('@') ? what : `@octoipc/${what}`;
  return dirname(createRequire(join(process.cwd(), 'x')).resolve(`${name}/package.json`));
}

function find(tool: string, folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    try {
      return dirname(createRequire(join(folder, 'x')).resolve(`${tool}/package.json`));
    } catch {
      // Elsewhere, perhaps.
    }
  }
  return undefined;
}

function run(file: string, args: readonly string[], options: object): void {
  const { status, error } = spawnSync(file, args, { stdio: 'inherit', ...options });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${[file, ...args].join(' ')} ended with status ${status}`);
}

/** The folders of the tools; those that are nowhere are installed into `workshop`. */
function tools(folder: string, workshop: string): Record<string, string> {
  const prefix = dirname(dirname(process.execPath));
  const npm = join(prefix, 'lib', 'node_modules', 'npm');
  const missing: string[] = [];
  const found: Record<string, string> = {};
  for (const [tool, version] of Object.entries(TOOLS)) {
    const at = find(tool, [folder, process.cwd(), npm]);
    if (at === undefined) missing.push(`${tool}@${version}`);
    found[tool] = at ?? join(workshop, 'node_modules', tool);
  }
  if (missing.length > 0) {
    run('npm', ['install', '--no-audit', '--no-fund', `--prefix=${workshop}`, ...missing], {});
  }
  return found;
}

function build(folder: string): void {
  const workshop = mkdtempSync(join(tmpdir(), 'octoipc-build-'));
  try {
    const found = tools(folder, workshop);
    const gyp = join(found['node-gyp'] ?? '', 'bin', 'node-gyp.js');
    const prefix = dirname(dirname(process.execPath));
    const headers = existsSync(join(prefix, 'include/node/node_api.h'));
    const args = [gyp, 'rebuild', ...(headers ? [`--nodedir=${prefix}`] : [])];
    // addon.gypi requires node-addon-api from the package's folder.
    const NODE_PATH = dirname(found['node-addon-api'] ?? '');
    run(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_PATH } });
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
if (wanted.length === 0 || wanted.some((what) => what.startsWith('-'))) {
  console.error('usage: octoipc-build PACKAGE …   (a folder, or a name: @octoipc/shm)');
  process.exit(2);
}
try {
  for (const what of wanted) build(folderOf(what));
} catch (error) {
  console.error(`octoipc-build: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
