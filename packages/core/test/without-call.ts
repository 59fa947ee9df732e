import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Peer } from './peer.js';

/** Numbers of system calls that are the same on every architecture. */
export const CALLS = { futex_waitv: 449 } as const;

/**
 * Starts Node scripts as on a kernel that lacks a system call.
 *
 * Lifetime: `remove` when all of them have ended.
 */
export class WithoutCall {
  /** Why it cannot be had here; undefined if it can. */
  readonly missing: string | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'octoipc-without-'));
  readonly #program = join(this.#folder, 'without-call');
  readonly #number: string;

  constructor(call: keyof typeof CALLS) {
    this.#number = String(CALLS[call]);
    const source = fileURLToPath(new URL('./fixtures/without-call.c', import.meta.url));
    const built = spawnSync('cc', ['-O1', '-Wall', '-o', this.#program, source]);
    if (built.error !== undefined) {
      this.missing = 'cc is not installed';
      return;
    }
    const probe = spawnSync(this.#program, [this.#number, '38', '/bin/true']);
    if (probe.status === 77) this.missing = 'seccomp(2) cannot be used here';
    else if (probe.status !== 0) execFileSync(this.#program, [this.#number, '38', '/bin/true']);
  }

  /** @param errno - what the call answers */
  node(errno: number, script: URL, args: readonly unknown[] = []): Peer {
    const all = [fileURLToPath(script), ...args].map(String);
    return Peer.start(this.#program, [this.#number, String(errno), process.execPath, ...all]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
