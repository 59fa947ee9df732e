// The conformance suite of a package under a runtime that has no vitest: its adapters and the suites become one file, with
// runner.mjs in vitest's place, and run in a process of their own. A test that ends the process, or does not end, has
// failed; the next process goes on behind it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { publicPackages, root } from '../workspace.mjs';

/** Milliseconds for a test to be over; a case has a watchdog of its own, of 15 seconds for most. */
const STILL = 60_000;
/** Processes that a package may take. */
const MOST_ENDS = 40;
/** Bytes that are kept of what a process printed. */
const LAST = 400;

const esbuild = join(root, 'rehearsal', 'node_modules', 'esbuild', 'lib', 'main.js');
const testsOf = ({ folder }) => join(folder, 'test');

/** The packages that have a conformance suite, as {@link publicPackages} tells them. */
export function conformingPackages() {
  return publicPackages().filter((each) => existsSync(join(testsOf(each), 'conformance.test.ts')));
}

/** One file of what a package's conformance test is made of, beside it: its scripts are found from there. */
async function bundle(pack) {
  const { build } = await import(pathToFileURL(esbuild).href);
  const outfile = join(testsOf(pack), `.plain-${process.pid}.mjs`);
  const runner = join(import.meta.dirname, 'runner.mjs');
  const others = publicPackages()
    .map(({ manifest }) => manifest.name)
    .filter((name) => name !== '@octoipc/conformance');
  await build({
    stdin: {
      contents: `import './conformance.test.ts';\nimport { runRegistered } from 'vitest';\nawait runRegistered();\n`,
      resolveDir: testsOf(pack),
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    alias: { vitest: runner },
    external: [...others, ...others.map((name) => `${name}/*`), './fixtures/*'],
    // The packages say that importing them has no effect; the import of a test has.
    ignoreAnnotations: true,
    logLevel: 'silent',
  });
  return outfile;
}

const linesOf = (file) =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : [];

/** Runs a program until it ends or tells nothing more; how that came. */
function untilStill([command, ...args], reports) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, OCTOIPC_QUICK: '1' },
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (printed = (printed + chunk).slice(-LAST)));
    let size = 0;
    let since = performance.now();
    const watch = setInterval(() => {
      const now = existsSync(reports) ? statSync(reports).size : 0;
      if (now !== size) [size, since] = [now, performance.now()];
      else if (performance.now() - since > STILL) process.kill(-child.pid, 'SIGKILL');
    }, 1000);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      try {
        // What it has started, and not ended.
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // There is nothing.
      }
      const still = performance.now() - since > STILL;
      resolve(still ? 'it did not end' : `it ended the process (${signal ?? code})\n${printed}`);
    });
  });
}

/** Runs what is left until all was tried. */
async function attempts(runtime, program, reports) {
  const cases = new Map();
  for (let ends = 0; ends < MOST_ENDS; ends += 1) {
    const from = cases.size;
    const how = await untilStill([...runtime, program, reports, String(from)], reports);
    const told = linesOf(reports);
    // What is before was told by processes that have been judged.
    for (const { at, title, state, why } of told)
      if (at >= from) cases.set(at, { title, state, why });
    if (told.some(({ state }) => state === 'over')) return { cases, complete: true };
    const last = cases.get(cases.size - 1);
    if (last?.state === 'begun') Object.assign(last, { state: 'failed', why: how });
    else if (cases.size === from) throw new Error(how);
  }
  return { cases, complete: false };
}

/**
 * Runs a package's conformance suite.
 *
 * @param runtime - the command that runs a file, as words, with garbage collection at hand
 * @param pack - one of {@link conformingPackages}
 * @returns `{ passed, inapplicable, failures, complete }`; failures as `{ title, why }`
 */
export async function runConformance(runtime, pack) {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-plain-'));
  const program = await bundle(pack);
  try {
    const { cases, complete } = await attempts(runtime, program, join(folder, 'reports'));
    const all = [...cases.values()];
    const count = (wanted) => all.filter(({ state }) => state === wanted).length;
    return {
      passed: count('passed'),
      inapplicable: count('skipped'),
      failures: all
        .filter(({ state }) => state === 'failed')
        .map(({ title, why }) => ({ title, why })),
      complete,
    };
  } finally {
    rmSync(program, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}
