import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
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
const IN_CHECKOUT = join('..', '..', 'bench', 'src', 'main.mjs');

/** The runner: that of this checkout, else that of the package of the benchmarks, where it is installed. */
function runnerFrom(program: string): string | undefined {
  const own = join(dirname(program), IN_CHECKOUT);
  if (existsSync(own)) return own;
  for (const from of [program, join(process.cwd(), 'package.json')]) {
    try {
      const manifest = createRequire(from).resolve('@octoipc/bench/package.json');
      return join(dirname(manifest), 'src', 'main.mjs');
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * The verb `bench`: hands over to the runner of the benchmarks, of the checkout or installed. It
 * compiles its C programs with the compiler of the system, and takes the packages that it compares with
 * from npm; without either it compares with what is there.
 *
 * @param suites - which; all of them if none is named
 * @param options - of the command line
 * @returns the exit status: the runner's
 */
export async function bench(suites: readonly string[], options: BenchOptions): Promise<number> {
  const runner = runnerFrom(options.program);
  if (runner === undefined) {
    process.stderr.write(
      'octoipc bench needs the runner, which is in the repository: clone it and npm run bench there, or npm install the folder packages/bench of it here. It compiles C programs with cc (libuv1-dev for some), and installs the packages that it compares with from npm when a row asks for them; what is missing is told in its row. octoipc choose measures here and now.\n',
    );
    return STATUS.failed;
  }
  const { json = false, quick = false, rows } = options;
  const made = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
  const file = join(made, 'figures.json');
  try {
    const args = [
      ...suites,
      ...(quick ? ['--quick'] : []),
      ...(rows === undefined ? [] : ['--rows', rows]),
      ...(json ? ['--json', file] : []),
    ];
    const status = await run(runner, args, json);
    if (json && existsSync(file)) process.stdout.write(readFileSync(file));
    return status;
  } finally {
    rmSync(made, { recursive: true, force: true });
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
