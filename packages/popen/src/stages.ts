import { check, POLLIN } from '@octoipc/core/kit';

import { binding } from './binding.js';
import type { ChildHandle } from './child.js';
import type { Program } from './command.js';
import type { Settings } from './options.js';
import type { Mode } from './mode.js';
import { Process } from './process.js';
import { Run, type Ends } from './run.js';
import { startWith, stderrOf, type Stdio } from './start.js';

/** How long a stage that was killed at once may take to be gone, in milliseconds. */
const DYING = 1000;

interface Stage {
  readonly child: ChildHandle;
  readonly ends: Ends;
  readonly program: Program;
}

/**
 * Starts the programs of a pipeline, the stdout of each being the stdin of the next by a pipe that this
 * process lets go of.
 *
 * @param programs - at least one
 * @param mode - whether the first one's stdin and the last one's stdout are pipes to us
 * @param settings - of every stage
 * @returns the programs, all of which run
 * @throws {IpcError} what the start of one failed with; none of them runs then
 */
export function startStages(
  programs: readonly Program[],
  mode: Mode,
  settings: Settings,
): Process[] {
  const stages: Stage[] = [];
  const stderr = stderrOf(settings);
  // A failure of one is told by the pipeline, which has an eye on all.
  const each: Settings = { ...settings, check: false };
  const pipe = new Int32Array(2);
  let upstream: number | undefined;
  let downstream: number | undefined;
  try {
    for (const program of programs) {
      const isLast = stages.length === programs.length - 1;
      let stdin: Stdio['stdin'] = mode === 'r' ? 'inherit' : 'pipe';
      let stdout: Stdio['stdout'] = mode === 'w' ? 'inherit' : 'pipe';
      let next: number | undefined;
      if (upstream !== undefined) stdin = upstream;
      if (!isLast) {
        check(binding().pipe(pipe), 'pipe2');
        [next, downstream] = pipe as unknown as [number, number];
        stdout = downstream;
      }
      const reading = upstream;
      upstream = next;
      try {
        const own = { ...each, fds: fdsOf(settings, stages.length === 0, isLast) };
        stages.push({ ...startWith(program, own, { stdin, stdout, stderr }), program });
      } finally {
        if (reading !== undefined) binding().close(reading);
        if (downstream !== undefined) binding().close(downstream);
        downstream = undefined;
      }
    }
  } catch (error) {
    if (upstream !== undefined) binding().close(upstream);
    for (const { child, ends } of stages) kill(child, ends);
    throw error;
  }
  return stages.map(({ child, ends, program }) => {
    if (settings.check) ends.stderr?.relieve();
    return new Process(new Run(child, ends, each, program.label));
  });
}

/** What joins two stages stays: 0 is for the first one, 1 for the last. */
function fdsOf({ fds }: Settings, isFirst: boolean, isLast: boolean): Settings['fds'] {
  return fds.filter(([target]) => target > 1 || (target === 0 ? isFirst : isLast));
}

/** Ends a stage without which another could not be started, at once. */
function kill(child: ChildHandle, ends: Ends): void {
  for (const end of [ends.stdin, ends.stdout, ends.stderr]) end?.close();
  child.destroy();
  binding().poll(child.fd, POLLIN, DYING);
  // What does not die in time is left to the background.
  if (child.take(false) === null) child.close();
}
