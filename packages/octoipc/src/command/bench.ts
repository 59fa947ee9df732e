import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { STATUS } from './status.js';

/** What `octoipc bench` takes. */
export interface BenchOptions {
  /** The file of the command. */
  readonly program: string;
  readonly json?: boolean;
  readonly quick?: boolean;
  readonly rows?: string;
}

/** Where the runner is, from the folder of the command's file, in a checkout. */
const RUNNER = join('..', '..', 'bench', 'src', 'main.mjs');

/**
 * The verb `bench`: hands over to the runner of the repository, whose C programs and peers no package has.
 *
 * @param suites - which; all of them if none is named
 * @param options - of the command line
 * @returns the exit status: the runner's
 */
export async function bench(suites: readonly string[], options: BenchOptions): Promise<number> {
  const runner = join(dirname(options.program), RUNNER);
  if (!existsSync(runner)) {
    process.stderr.write(
      'octoipc bench: the benchmarks compare with C programs, which only the repository has: clone it, and npm run bench there. octoipc choose measures here and now.\n',
    );
    return STATUS.failed;
  }
  const { json = false, quick = false, rows } = options;
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
  const file = join(folder, 'figures.json');
  try {
    const args = [
      ...suites,
      ...(quick ? ['--quick'] : []),
      ...(rows === undefined ? [] : ['--rows', rows]),
      ...(json ? ['--json', file] : []),
    ];
    const status = await run(runner, args, json);
    if (json && status === STATUS.ok) process.stdout.write(readFileSync(file));
    return status;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs it to its end; with JSON asked for, what it prints for people goes to stderr. */
async function run(runner: string, args: readonly string[], json: boolean): Promise<number> {
  const child = spawn(process.execPath, [runner, ...args], {
    stdio: ['ignore', json ? 2 : 'inherit', 'inherit'],
  });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', pass);
  process.on('SIGTERM', pass);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', pass);
  process.off('SIGTERM', pass);
  return status ?? 128 + constants.signals[signal!];
}
