import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';

import { mechanisms } from '../tour/mechanisms.js';
import { STATUS } from './status.js';

/** What the command knows of itself. */
export interface Program {
  readonly version: string;
  /** The file of the command, which starts itself as the second process. */
  readonly program: string;
}

/**
 * Runs the command and leaves its exit status in `process.exitCode`.
 *
 * @param argv - as `process.argv` has it
 * @param self - what the command knows of itself
 */
export async function main(argv: readonly string[], self: Program): Promise<void> {
  try {
    await commands(self).parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has told the user already; what it calls an error is wrong usage.
    process.exitCode = error.exitCode === 0 ? STATUS.ok : STATUS.usage;
  }
}

function commands(self: Program): Command {
  const octoipc = new Command('octoipc')
    .description('The Unix ways in which two processes on a machine can talk.')
    .version(self.version)
    .exitOverride()
    .showHelpAfterError('(octoipc --help tells more)');

  octoipc
    .command('tour')
    .description('Take a file through every mechanism, to a second process, and verify it there.')
    .addArgument(
      new Argument('[file]', 'the file that travels').default(
        process.execPath,
        "Node's own binary",
      ),
    )
    .option('--only <name>', 'these mechanisms only; repeat it, or separate by commas', only)
    .option('--json', 'print an array of results and nothing else')
    .action(async (file: string, options: { only?: string[]; json?: boolean }) => {
      const { tour } = await import('./tour.js');
      process.exitCode = await tour(file, { ...self, ...options });
    });

  octoipc
    .command('tour-peer <mechanism> <row>', { hidden: true })
    .description("The tour's second process.")
    .action(async (mechanism: string, name: string) => {
      const row = mechanisms
        .find((each) => each.name === mechanism)
        ?.rows.find((each) => each.name === name);
      if (row === undefined) throw new CommanderError(STATUS.usage, 'octoipc.row', 'no such row');
      const { runPeer } = await import('../tour/peer.js');
      await runPeer(row);
    });

  return octoipc;
}

/** The value of `--only`: the names of mechanisms. */
function only(value: string, before: readonly string[] = []): string[] {
  const known = mechanisms.map(({ name }) => name);
  const names = value.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`No mechanism '${unknown}'; known: ${known.join(', ')}.`);
  }
  return [...before, ...names];
}
