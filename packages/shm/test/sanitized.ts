import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { TestContext } from 'vitest';

import { folder } from './scripts.js';

/** What a program exits with whose sanitizer has found something. */
export const sanitizer = { exitCode: 66 } as const;

const program = fileURLToPath(new URL('sanitize.mjs', import.meta.url));

/** Compiles one of the fixtures with sanitizers; skips the test where that cannot be. */
export async function compileSanitized(
  source: string,
  sanitizers: string,
  context: TestContext,
): Promise<string> {
  const compiler = source.endsWith('.c') ? 'cc' : 'c++';
  if (spawnSync(compiler, ['--version']).error !== undefined) {
    context.skip(`there is no ${compiler}`);
  }
  const binary = join(folder(), source.replace('.', '-'));
  execFileSync(process.execPath, [program, source, sanitizers, binary]);
  return binary;
}
