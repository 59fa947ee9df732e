// @ts-check
// The command lines of what is compared: C programs, compiled when first asked for, and Node programs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..');
const binaries = join(folder, '..', '..', 'node_modules', '.cache', 'octoipc', 'bench');

/** What programs are linked with. @type {Record<string, readonly string[]>} */
const LIBRARIES = { 'signal-uv': ['-luv'] };

/**
 * A program and its arguments.
 *
 * @typedef {readonly string[]} Command
 */

/**
 * Compiles c/NAME.c if that has changed.
 *
 * @param {string} name
 * @param {readonly string[]} libraries - as the linker takes them
 * @returns {string} the binary
 */
function compiled(name, libraries = []) {
  const source = join(folder, 'c', `${name}.c`);
  const binary = join(binaries, name);
  const sources = [source, join(folder, 'c', 'bench.h')];
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return binary;
  mkdirSync(binaries, { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', '-pthread', '-o', fresh, source, ...libraries];
  execFileSync(process.env['CC'] ?? 'cc', [...flags, ...(LIBRARIES[name] ?? [])], {
    stdio: ['ignore', 2, 2],
  });
  renameSync(fresh, binary);
  return binary;
}

/**
 * @param {string} name - of c/NAME.c
 * @param {...(string | number)} args
 * @returns {Command}
 */
export function c(name, ...args) {
  return [compiled(name), ...args.map(String)];
}

/** Whether libuv is there to compile against (libuv1-dev). */
export const hasLibuv = existsSync('/usr/include/uv.h');

/**
 * A program in C on libuv's loop: c/uv.c.
 *
 * @param {...(string | number)} args
 * @returns {Command}
 */
export function uv(...args) {
  return [compiled('uv', ['-luv']), ...args.map(String)];
}

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
  return [compiled('pin'), ...command];
}

/**
 * Whether a package is there that the workspace does not depend on. A row that is left out says so.
 *
 * @param {string} name
 */
export function installed(name) {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    console.log(`not compared: ${name} is not installed`);
    return false;
  }
}

/**
 * Whether a C program can be compiled that includes this.
 *
 * @param {string} header
 */
export function hasHeader(header) {
  const { status } = spawnSync(process.env['CC'] ?? 'cc', ['-E', '-xc', '-'], {
    input: `#include <${header}>\n`,
  });
  if (status !== 0) console.log(`not compared: there is no ${header}`);
  return status === 0;
}
