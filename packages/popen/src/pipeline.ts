import { oneOf, optionalBoolean, optionsObject, typeError, valueError } from '@octoipc/core/kit';

import { programOf, type Command } from './command.js';
import { MODES, type Mode } from './mode.js';
import { settingsOf, type PopenOptions } from './options.js';
import { Pipeline } from './running-pipeline.js';
import { startStages } from './stages.js';

/** What `pipeline` takes: the options hold for every stage, but `fds` 0 for the first and 1 for the last one. */
export interface PipelineOptions extends PopenOptions {
  /**
   * A stage whose reader has left before it was done, and which SIGPIPE has ended therefore, has not failed.
   *
   * @default false
   */
  readonly allowSigpipe?: boolean | undefined;
}

/**
 * Starts programs, the stdout of each being the stdin of the next. They are joined by kernel pipes: no byte
 * between them passes through this process.
 *
 * @param commands - at least one, each as `popen` has it
 * @param mode - `r` reads the last one's stdout, `w` writes the first one's stdin, `r+` both
 * @param options - hold for every stage; `check` is for all of them (pipefail)
 * @returns the programs, all of which run
 * @throws {IpcError} what the start of one failed with, as `popen` does; none of them runs then
 * @example
 * ```js
 * import { pipeline } from '@octoipc/popen';
 *
 * const count = pipeline([['printf', 'b\na\nb\n'], ['sort', '-u'], 'wc -l']);
 * Number(await count.text()); //=> 2
 * count.ok; //=> true
 * ```
 * @see pipe(7)
 */
export function pipeline<const M extends Mode = 'r'>(
  commands: readonly Command[],
  mode?: M,
  options?: PipelineOptions,
): Pipeline<M> {
  if (!Array.isArray(commands)) throw typeError('commands', 'an array of commands', commands);
  if (commands.length === 0) throw valueError('commands', 'must not be empty', commands);
  const programs = commands.map((command: Command, i) => programOf(command, `commands[${i}]`));
  const chosen: Mode = mode === undefined ? 'r' : oneOf(mode, 'mode', MODES);
  const { allowSigpipe } = optionsObject<PipelineOptions>(options);
  const tolerant = optionalBoolean(allowSigpipe, 'options.allowSigpipe') ?? false;
  const settings = settingsOf(options);
  return new Pipeline<M>(startStages(programs, chosen, settings), settings, tolerant);
}
