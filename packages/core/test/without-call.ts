import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Peer } from './peer.js';

/** Numbers of system calls that are the same on every architecture. */
export const CALLS = { futex_waitv: 449, io_uring_setup: 425 } as const;

/**
 * Starts Node scripts as on a kernel that lacks system calls.
 *
 * Lifetime: `remove` when all of them have ended.
 */
export class WithoutCall {
  /** Why it cannot be had here; undefined if it can. */
  readonly missing: string | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'octoipc-without-'));
  readonly #program = join(this.#folder, 'without-call');
  readonly #numbers: readonly string[];

  constructor(...calls: readonly (keyof typeof CALLS)[]) {
    this.#numbers = calls.map((call) => String(CALLS[call]));
    const source = fileURLToPath(new URL('./fixtures/without-call.c', import.meta.url));
    const built = spawnSync('cc', ['-O1', '-Wall', '-o', this.#program, source]);
    if (built.error !== undefined) {
      this.missing = 'cc is not installed';
      return;
    }
    const [file, ...args] = this.#command(38, ['/bin/true']);
    const probe = spawnSync(file, args);
    if (probe.status === 77) this.missing = 'seccomp(2) cannot be used here';
    else if (probe.status !== 0) execFileSync(file, args);
  }

  /** @param errno - what the calls answer */
  node(errno: number, script: URL, args: readonly unknown[] = []): Peer {
    const program = [process.execPath, fileURLToPath(script), ...args].map(String);
    const [file, ...all] = this.#command(errno, program);
    return Peer.start(file, all);
  }

  /** Each call is taken away by a program that runs the next. */
  #command(errno: number, program: readonly string[]): [string, ...string[]] {
    const steps = this.#numbers.flatMap((number) => [this.#program, number, String(errno)]);
    return [...steps, ...program] as [string, ...string[]];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
