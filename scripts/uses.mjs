// Uses every package under a runtime: rehearsal/use.mjs for each, and the tour.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { capture } from './run.mjs';
import { publicPackages, root } from './workspace.mjs';

const TIMEOUT = 120_000;

/** The packages that have a binding, by their short names. */
export function usedPackages() {
  return publicPackages()
    .filter(({ manifest }) => manifest.gypfile === false)
    .map(({ name }) => name);
}

/**
 * Uses one package in a process of its own.
 *
 * @param runtime - the command that runs a file, as words
 * @param name - the package
 * @param folder - where a program finds the packages
 * @returns `{ works, lacks, said }`: what the runtime refuses, and what failed
 */
export async function usePackage(runtime, name, folder) {
  const program = join(folder, `.octoipc-use-${process.pid}.mjs`);
  copyFileSync(join(root, 'rehearsal', 'use.mjs'), program);
  try {
    const [file, ...args] = runtime;
    const { status, output, timedOut } = await capture(file, [...args, program, name], {
      cwd: folder,
      timeout: TIMEOUT,
    });
    const lacks = [...output.matchAll(/^lacks: (.*)$/gm)].map(([, what]) => what);
    const works = status === 0 && output.includes(`used ${name}`);
    return { works, lacks, said: timedOut ? `not over in time\n${output}` : output };
  } finally {
    rmSync(program, { force: true });
  }
}

/**
 * The tour, with a small file.
 *
 * @param program - the octoipc command's own file
 * @returns `{ works, rows, said }`: its rows as it prints them with --json
 */
export async function tourUnder(runtime, program, folder) {
  const file = join(tmpdir(), `octoipc-tour-${process.pid}`);
  writeFileSync(file, Buffer.alloc(256 * 1024, 'octoipc '));
  try {
    const [command, ...args] = runtime;
    const { status, stdout, output } = await capture(
      command,
      [...args, program, 'tour', file, '--json'],
      { cwd: folder, timeout: TIMEOUT },
    );
    const text = stdout.slice(stdout.indexOf('['));
    let rows = [];
    try {
      rows = JSON.parse(text);
    } catch {
      return { works: false, rows, said: output };
    }
    return { works: status === 0, rows, said: output };
  } finally {
    rmSync(file, { force: true });
  }
}
