// @ts-check
// The command lines of what is compared: C programs, compiled when they are first started, and Node programs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

import { cache } from './cache.mjs';

const folder = join(import.meta.dirname, '..');
const binaries = join(cache, 'bench');
const compiler = process.env['CC'] ?? 'cc';

/** What programs are linked with. @type {Record<string, readonly string[]>} */
const LIBRARIES = { 'signal-uv': ['-luv'], uv: ['-luv'] };

/** What is no program, but an addon of Node's. */
const ADDONS = new Set(['floor']);

/** Node's headers, where they are installed with it. */
const nodeHeaders = join(dirname(process.execPath), '..', 'include', 'node');

/** Whether there are headers to compile addons against. */
export const hasNodeHeaders = existsSync(join(nodeHeaders, 'node_api.h'));

/**
 * A program of c/, which is compiled when it is needed.
 *
 * @typedef {{ readonly c: string }} Source
 */

/**
 * A program and its arguments.
 *
 * @typedef {readonly (string | Source)[]} Command
 */

/** The C API of rings, as the package of shared memory ships it. */
const include = () =>
  join(dirname(createRequire(import.meta.url).resolve('@octoipc/shm')), '..', 'include');

/** @type {boolean | undefined} */
let compiles;

/** Whether there is a C compiler. */
export function hasCompiler() {
  compiles ??= spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status === 0;
  return compiles;
}

/**
 * Compiles c/NAME.c if that or a header has changed.
 *
 * @param {string} name
 * @returns {string} the binary
 */
function compiled(name) {
  if (!hasCompiler()) throw new Error(`there is no C compiler (${compiler})`);
  const sources = join(folder, 'c');
  const source = join(sources, `${name}.c`);
  const binary = join(binaries, name);
  const headers = readdirSync(sources).filter((file) => file.endsWith('.h'));
  const files = [source, ...headers.map((header) => join(sources, header))];
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return binary;
  mkdirSync(binaries, { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', '-pthread', '-I', include(), '-o', fresh, source];
  if (ADDONS.has(name)) flags.push('-shared', '-fPIC', '-I', nodeHeaders);
  execFileSync(compiler, [...flags, ...(LIBRARIES[name] ?? [])], { stdio: ['ignore', 2, 2] });
  renameSync(fresh, binary);
  return binary;
}

/**
 * What can be started: its C programs are compiled.
 *
 * @param {Command} command
 * @returns {string[]}
 */
export function resolved(command) {
  return command.flatMap((part) => {
    if (typeof part === 'string') return [part];
    if (part.c === 'pin' && !hasCompiler())
      return ['taskset', '--cpu-list', String(availableParallelism() - 1)];
    return [compiled(part.c)];
  });
}

/**
 * @param {string} name - of c/NAME.c
 * @param {...(string | number)} args
 * @returns {Command}
 */
export function c(name, ...args) {
  return [{ c: name }, ...args.map(String)];
}

/** Why nothing can be compiled against libuv; undefined where it can. */
const lacking = existsSync('/usr/include/uv.h')
  ? undefined
  : 'the headers of libuv are not there (libuv1-dev)';

/**
 * What a program in C on libuv's loop takes: c/uv.c, or another.
 *
 * @param {Command} command
 * @param {number} [target]
 */
export const onLibuv = (command, target) => ({
  name: 'C, libuv loop',
  command,
  ...(target === undefined ? {} : { target }),
  ...(lacking === undefined ? {} : { lacking }),
});

/**
 * Round trips by libuv's poll: c/uv.c.
 *
 * @param {'pipe' | 'fifo' | 'stream' | 'seqpacket' | 'datagram' | 'tcp' | 'mq'} kind
 * @param {number} size
 */
export const uv = (kind, size) => c('uv', kind, size);

/**
 * @param {string} name - of sides/NAME.mjs
 * @param {...(string | number)} args
 * @returns {Command}
 */
export function node(name, ...args) {
  return [process.execPath, join(import.meta.dirname, 'sides', `${name}.mjs`), ...args.map(String)];
}

/**
 * Both processes on one core: there a wake-up is a switch of processes, and no other core must be woken.
 *
 * @param {Command} command
 * @returns {Command}
 */
export function onOneCore(command) {
  return [{ c: 'pin' }, ...command];
}

/**
 * What nothing but the system calls take through Node-API: c/floor.c.
 *
 * @param {...(string | number)} args
 * @returns {Command}
 */
export function floor(...args) {
  const [program = '', file = ''] = node('floor');
  return [program, file, { c: 'floor' }, ...args.map(String)];
}
