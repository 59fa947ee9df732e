// @ts-check
// The packages of npm that are compared, each of an exact version, installed when a row first asks for it
// in a folder of its own. One that cannot be installed or loaded here is told with the reason.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { cache } from './cache.mjs';

/** What is installed. @type {Readonly<Record<string, string>>} */
export const VERSIONS = {
  execa: '9.6.0',
  koffi: '3.3.4',
  'node-ipc': '14.0.0',
  'node-unix-socket': '0.2.7',
  'proper-lockfile': '4.1.2',
  'shm-typed-array': '0.1.1',
  svmq: '1.0.7',
  tinyexec: '1.4.0',
  'unix-dgram': '2.0.7',
  zeromq: '6.8.0',
};

/**
 * The keys of System V objects that peers make: two queues, or a segment with the first one.
 *
 * @param {number} pid - of the program that makes them
 * @returns {readonly [number, number]}
 */
export function keysOf(pid) {
  const first = 0x4f_00_00_00 + 2 * pid;
  return [first, first + 1];
}

/**
 * Removes what a program that crashed has left.
 *
 * @param {number} pid
 */
export function sweep(pid) {
  const [first, second] = keysOf(pid);
  const keys = ['-Q', `${first}`, '-Q', `${second}`, '-M', `${first}`];
  // Of each that is not there it says so.
  spawnSync('ipcrm', keys, { stdio: 'ignore' });
}

/** The longest that an installation may take, in milliseconds. */
const PATIENCE = 120_000;

/** @param {string} name */
const folderOf = (name) =>
  join(cache, 'peers', `${name}@${VERSIONS[name]}-node${process.versions.modules}`);

/**
 * Installs a package unless that was tried before.
 *
 * @param {string} name
 * @returns {string | undefined} why it cannot be compared; undefined where it can
 */
export function missing(name) {
  const folder = folderOf(name);
  const verdict = join(folder, 'verdict.json');
  if (!existsSync(verdict)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(verdict, JSON.stringify({ reason: tried(name, folder) ?? null }));
  }
  return JSON.parse(readFileSync(verdict, 'utf8')).reason ?? undefined;
}

/** @param {string} name @param {string} folder */
function tried(name, folder) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  // Where the headers of this Node are installed, node-gyp need not fetch them.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node.h'))
    ? { npm_config_nodedir: prefix }
    : {};
  const args = ['install', '--ignore-scripts=false', '--no-audit', '--no-fund', '--save-exact'];
  const { status, stderr, error } = spawnSync('npm', [...args, `${name}@${VERSIONS[name]}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: PATIENCE,
    env: { ...process.env, ...headers },
  });
  if (error !== undefined || status === null)
    return `npm install took longer than ${PATIENCE / 1000} s or did not start: ${error?.message ?? ''}`;
  if (status !== 0) return `npm install failed: ${reasonIn(stderr)}`;
  const program = `await import(${JSON.stringify(urlOf(name))})`;
  const loaded = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    encoding: 'utf8',
    timeout: PATIENCE,
  });
  return loaded.status === 0 ? undefined : `does not load: ${reasonIn(loaded.stderr)}`;
}

/**
 * The line of a failure that says why: of a compiler, else of npm or of Node.
 *
 * @param {string} text
 */
function reasonIn(text) {
  const lines = text.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /\berror: /.test(line)) ??
    lines.find((line) => /^\w*Error\b.*: |gyp ERR! stack Error/.test(line)) ??
    lines.find((line) => line !== '');
  return (telling ?? 'without a word').replace(/^.*\/node_modules\//, '').slice(0, 160);
}

/** @param {string} name */
function urlOf(name) {
  const require = createRequire(join(folderOf(name), 'package.json'));
  return pathToFileURL(require.resolve(name)).href;
}

/**
 * What a package exports, which has been installed.
 *
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function load(name) {
  const module = await import(urlOf(name));
  return 'execa' in module || 'x' in module ? module : (module.default ?? module);
}
