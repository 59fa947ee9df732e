// Runs programs: the tools in node_modules, and any other.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

import { readJson, root } from './workspace.mjs';

/** A check that cannot be made here ends with this status, after it has said why. */
export const SKIPPED = 77;

/** The file of a tool's command, among the root's dependencies. */
export function tool(packageName, command = packageName) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = readJson(join(folder, 'package.json'));
  // A package of one command need not call it by its own name.
  const [only] = typeof bin === 'string' ? [bin] : Object.values(bin);
  return join(folder, bin[command] ?? only);
}

/** What a shell would report: the exit code, or 128 and the signal's number. */
function statusOf(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

/**
 * Runs a program with this one's terminal; signals that would end this process are left to the child,
 * which ends first.
 *
 * @returns its exit status
 */
export function run(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, stdio: 'inherit', ...options });
    const pass = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, pass);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const each of signals) process.off(each, pass);
      resolve(statusOf(code, signal));
    });
  });
}

/**
 * Runs a program and keeps what it prints, both streams in the order in which they came. After
 * `timeout` milliseconds it and everything that it started are killed.
 *
 * @returns `{ status, output, stdout, timedOut }`
 */
export function capture(file, args, { timeout, input, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const stdin = input === undefined ? 'ignore' : 'pipe';
    const child = spawn(file, args, {
      cwd: root,
      stdio: [stdin, 'pipe', 'pipe'],
      detached: timeout !== undefined,
      ...options,
    });
    let timedOut = false;
    const watchdog =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            process.kill(-child.pid, 'SIGKILL');
          }, timeout);
    const all = [];
    const out = [];
    child.stdout.on('data', (chunk) => all.push(chunk) && out.push(chunk));
    child.stderr.on('data', (chunk) => all.push(chunk));
    child.stdin?.end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(watchdog);
      resolve({
        status: statusOf(code, signal),
        output: Buffer.concat(all).toString(),
        stdout: Buffer.concat(out).toString(),
        timedOut,
      });
    });
  });
}

/** Runs a JavaScript tool of node_modules by this Node. */
export function runTool(packageName, args, options) {
  return run(process.execPath, [tool(packageName), ...args], options);
}
