import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { onTestFinished, type TestContext } from 'vitest';

/** How a program ended, and what it said. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/** Runs a program to its end. */
export function run(
  file: string,
  args: readonly string[],
  fds: readonly number[] = [],
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
      cwd: import.meta.dirname,
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (data) => (stdout += String(data)));
    child.stderr?.on('data', (data) => (stderr += String(data)));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ stdout, stderr, code, signal }));
  });
}

/** Runs a CommonJS program that uses this package. */
export function runScript(
  code: string,
  fds: readonly number[] = [],
  node = process.execPath,
  args: readonly string[] = [],
): Promise<Ended> {
  return run(node, ['--input-type=commonjs', '--eval', code, '--', ...args], fds);
}

/** A folder of this test's own. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-shm-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Compiles a C program; skips the test where there is no compiler. */
export async function compile(code: string, context: TestContext): Promise<string> {
  const path = join(folder(), 'peer');
  writeFileSync(`${path}.c`, code);
  try {
    await promisify(execFile)('cc', ['-O2', '-o', path, `${path}.c`]);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT')
      context.skip('there is no C compiler (cc)');
    throw error;
  }
  return path;
}

/** Whether a tool is there; skips the test where it is not. */
export async function needs(tool: string, context: TestContext): Promise<void> {
  const { code } = await run('/bin/sh', ['-c', `command -v ${tool}`]);
  if (code !== 0) context.skip(`there is no ${tool}`);
}

/** A Node.js that gives SharedArrayBuffers: the one that runs the tests, or 26 of `npm run test:runtimes`. */
export async function sharedNode(context: TestContext): Promise<string> {
  const ask = `
    const memory = require('@octoipc/shm').SharedMemory.memfd({ size: 1 });
    process.stdout.write(String(memory.shared));
    memory.close();
  `;
  const repository = join(import.meta.dirname, '..', '..', '..');
  const node26 = join(repository, 'runtimes', 'node_modules', 'node26', 'bin', 'node');
  for (const file of [process.execPath, node26]) {
    if (!existsSync(file)) continue;
    const { stdout } = await run(file, ['--input-type=commonjs', '--eval', ask]);
    if (stdout === 'true') return file;
  }
  return context.skip('no Node.js here gives SharedArrayBuffers: npm run test:runtimes gets one');
}
