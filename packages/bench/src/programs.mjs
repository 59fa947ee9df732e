// @ts-check
// The command lines of what is compared: C programs, compiled when first asked for, and Node programs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..');
const binaries = join(folder, '..', '..', 'node_modules', '.cache', 'octoipc', 'bench');

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
  const flags = ['-O2', '-Wall', '-Wextra', '-o', fresh, source, ...libraries];
  execFileSync(process.env['CC'] ?? 'cc', flags, { stdio: ['ignore', 2, 2] });
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
