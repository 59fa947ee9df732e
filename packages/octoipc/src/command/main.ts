import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';

import { mechanisms } from '../tour/mechanisms.js';
import { addChannelVerbs } from './channel-verbs.js';
import { addMachineVerbs } from './machine-verbs.js';
import { addObjectVerbs } from './object-verbs.js';
import { printableLines } from './printable.js';
import { endsQuietly } from './process.js';
import { STATUS } from './status.js';
import { addVerb } from './verb.js';

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
  endsQuietly(process.stdout);
  endsQuietly(process.stderr);
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
    .description(
      'The Unix ways in which two processes on a machine can talk: find, watch, poke and clean what they use.',
    )
    .version(self.version)
    .configureOutput({ writeErr: (text) => void process.stderr.write(printableLines(text)) })
    .exitOverride()
    .showHelpAfterError('(octoipc --help tells more)');

  addTour(octoipc, self);
  addObjectVerbs(octoipc);
  addChannelVerbs(octoipc);
  addMachineVerbs(octoipc, self);
  addPeers(octoipc);
  return octoipc;
}

function addTour(octoipc: Command, self: Program): void {
  addVerb(octoipc, 'tour', {
    summary: 'Take a file through every mechanism, to a second process, and verify it there.',
    examples: [
      ['octoipc tour', "with Node's own binary"],
      ['octoipc tour picture.png --only pipe,shm', 'a file of yours, two mechanisms'],
    ],
    statuses: [
      ['0', 'every row is verified'],
      ['1', 'a row failed; the table says why'],
      ['2', 'wrong usage, or a file that cannot be read'],
    ],
  })
    .addArgument(
      new Argument('[file]', 'the file that travels').default(
        process.execPath,
        "Node's own binary",
      ),
    )
    .option('--only <name>', 'these mechanisms only; repeat it, or separate by commas', only)
    .action(async (file: string, options: { only?: string[]; json?: boolean }) => {
      const { tour } = await import('./tour.js');
      process.exitCode = await tour(file, { ...self, ...options });
    });
}

/** The command as a second process: what it starts itself as, and nobody else. */
function addPeers(octoipc: Command): void {
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

  octoipc
    .command('choose-peer', { hidden: true })
    .description('The second process of a measurement.')
    .action(async () => {
      const { runChoosePeer } = await import('../choose/peer.js');
      await runChoosePeer();
    });
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
