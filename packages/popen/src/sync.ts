import type { Bytes } from '@octoipc/core';
import { bytes, optionsObject } from '@octoipc/core/kit';

import { BlockingRun } from './blocking-run.js';
import { programOf, type Command } from './command.js';
import { endingOf, failure } from './failure.js';
import { settingsOf, type PopenOptions } from './options.js';
import { startWith } from './start.js';
import type { ExitStatus } from './status.js';

/** What `popenSync` takes. */
export interface PopenSyncOptions extends Omit<PopenOptions, 'signal' | 'stderr'> {
  /** What it reads from its stdin. @default nothing: its stdin is at its end */
  readonly input?: Bytes | undefined;
  /** @default 'pipe' */
  readonly stderr?: PopenOptions['stderr'];
}

/** What a program has said, and how it has ended. */
export interface PopenSyncResult {
  readonly stdout: Buffer;
  /** Empty where its stderr is no pipe. */
  readonly stderr: Buffer;
  readonly status: ExitStatus;
}

/**
 * Runs a program to its end; blocks this thread meanwhile.
 *
 * @param command - as `popen` has it
 * @param options - as `popen` has them, and `input`
 * @returns its output and status; when its `timeout` was over `status.timedOut` is true, and the output is
 *   what came by then
 * @throws {IpcError} ENOENT, EACCES, … when it cannot be started, as `popen` does
 * @throws {IpcError} EMSGSIZE when an output is over `maxBuffer`
 * @throws {IpcError} ERR_PROCESS_FAILED with `check`, when it has failed; ETIMEDOUT when it had no time
 * @example
 * ```js
 * import { popenSync } from '@octoipc/popen';
 *
 * const { stdout, status } = popenSync(['tr', 'a-z', 'A-Z'], { input: 'hello' });
 * String(stdout); //=> 'HELLO'
 * status.code; //=> 0
 * ```
 */
export function popenSync(command: Command, options?: PopenSyncOptions): PopenSyncResult {
  const program = programOf(command);
  const { input } = optionsObject<PopenSyncOptions>(options);
  const data = input === undefined ? undefined : bytes(input, 'options.input');
  const settings = settingsOf(options);
  const redirected = settings.fds.some(([target]) => target === 2);
  const { child, ends } = startWith(program, settings, {
    stdin: data === undefined ? 'ignore' : 'pipe',
    stdout: 'pipe',
    stderr: settings.stderr ?? (redirected ? 'inherit' : 'pipe'),
  });
  using run = new BlockingRun(child, ends, settings, data);
  const { overflow, refusal: cause } = run.toEnd();
  const [stdout, stderr] = [run.stdout.whole, run.stderr.whole];
  const { label } = program;
  const findings = { label, status: child.status, stdout, stderr: stderr.toString(), cause };
  if (overflow) {
    const text = `its output is over maxBuffer (${settings.maxBuffer} bytes)`;
    throw failure('EMSGSIZE', text, findings);
  }
  const status = child.status;
  if (status === null || (settings.check && status.timedOut)) {
    throw failure('ETIMEDOUT', `not done after ${settings.timeout} ms`, findings);
  }
  if (settings.check && !status.ok) {
    throw failure('ERR_PROCESS_FAILED', endingOf(status), findings);
  }
  return { stdout, stderr, status };
}
