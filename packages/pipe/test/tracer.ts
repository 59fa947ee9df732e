import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { Peer } from '../../core/test/peer.js';

/** Why no system call can be made to fail here; undefined where it can. */
export function whyNoFaults(): string | undefined {
  const { error, status } = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']);
  if (error !== undefined) return 'strace is not installed';
  return status === 0 ? undefined : 'strace may not trace here';
}

/** What a scene of fixtures/faults.mjs came to. */
export interface Report {
  readonly value?: unknown;
  readonly name?: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly bytesWritten?: number;
  /** Descriptors that are open now and were not before. */
  readonly left: number;
}

/** What wakes the event loop is written and read by its own thread, too, now and then: the fault was not for that. */
const WAKES_THE_LOOP =
  /^(?:write\(\d+, "\\1(?:\\0){7}", 8\)|read\(\d+, \w+, (?:8|1024)\)).*\(INJECTED\)$/m;
const TRIES = 5;

/**
 * Plays a scene while system calls of its main thread are made to fail; once more where the fault met the event loop.
 *
 * @param scene - which
 * @param calls - their names, by commas
 * @param fault - what strace(1) injects: `error=EINTR:when=1`
 */
export async function played(
  scene: string,
  calls: string,
  fault: string,
): Promise<Report & { readonly trace: string }> {
  for (let tries = 1; ; tries++) {
    const { trace, report } = await playedOnce(scene, calls, fault);
    if (tries < TRIES && WAKES_THE_LOOP.test(trace)) continue;
    return { ...(await report), trace };
  }
}

async function playedOnce(
  scene: string,
  calls: string,
  fault: string,
): Promise<{ trace: string; report: Promise<Report> }> {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [begin, log] = [join(folder, 'begin'), join(folder, 'log')];
  const victim = Peer.node(new URL('fixtures/faults.mjs', import.meta.url), [scene, begin], {
    // Which call comes when is that of a process that was told nothing.
    env: { OCTOIPC_READINESS: undefined },
  });
  if ((await victim.line()) !== 'ready') throw new Error(victim.stdout);
  // Attached only now: started under it, the loader and Node itself would meet the faults.
  const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`];
  const tracer = Peer.start('strace', ['-o', log, ...inject, '-p', String(victim.pid)]);
  await tracer.complains('attached');
  writeFileSync(begin, '');
  const report = victim.report<Report>();
  await report.catch(() => {});
  victim.child.kill('SIGKILL');
  await tracer.ended;
  return { trace: readFileSync(log, 'utf8'), report };
}
