import { isIpcError } from '@octoipc/core';
import type { Command } from 'commander';

import { AddressError } from '../objects/address.js';
import { printable } from './printable.js';
import { STATUS } from './status.js';

/** What the help of a verb says beside its options. */
export interface VerbHelp {
  readonly summary: string;
  /** Commands, and what each is for. */
  readonly examples: readonly (readonly [command: string, purpose: string])[];
  /** Exit statuses, where they mean more than `STATUS_HELP` says. */
  readonly statuses?: readonly (readonly [status: string, meaning: string])[];
}

const STATUSES = [
  ['0', 'done'],
  ['1', 'failed, or something was not found'],
  ['2', 'wrong usage'],
  ['130, 143', 'ended by SIGINT or SIGTERM'],
] as const;

/** Wrong usage that no parser can find. */
export class UsageError extends Error {
  override get name(): string {
    return 'UsageError';
  }
}

/**
 * Adds a verb, with a help that has examples and exit statuses, and `--json`.
 *
 * @param octoipc - the command
 * @param usage - its name and arguments
 * @param help - what its help says
 * @returns the verb
 */
export function addVerb(octoipc: Command, usage: string, help: VerbHelp): Command {
  const own = new Map(help.statuses ?? []);
  const statuses = [
    ...STATUSES.map(([status, meaning]) => [status, own.get(status) ?? meaning] as const),
    ...[...own].filter(([status]) => !STATUSES.some(([known]) => known === status)),
  ];
  const lines = (title: string, rows: readonly (readonly [string, string])[]): string => {
    const width = Math.max(...rows.map(([first]) => first.length));
    return `\n${title}:\n${rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}\n`).join('')}`;
  };
  return octoipc
    .command(usage)
    .summary(help.summary)
    .description(help.summary)
    .option('--json', 'print JSON and nothing else')
    .addHelpText(
      'after',
      lines('Examples', help.examples) + lines('Exit status', statuses).trimEnd(),
    );
}

/**
 * Runs a verb: what it answers is the exit status, and what it throws a message.
 *
 * @param name - of the verb
 * @param run - does it
 */
export async function runVerb(name: string, run: () => Promise<number> | number): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    complain(name, error);
    process.exitCode = status;
  }
}

/** Says on stderr what went wrong, and what helps. */
export function complain(name: string, error: unknown): void {
  process.stderr.write(`octoipc ${name}: ${reasonOf(error)}\n`);
}

/** An error in a line: its message and its remedy. */
export function reasonOf(error: unknown): string {
  const { message, hint } = error as { message: string; hint?: string };
  return printable(hint === undefined ? message : `${message} (${hint})`);
}

/** The exit status for an error; undefined for one that is our own mistake. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof AddressError || error instanceof UsageError) return STATUS.usage;
  if (isIpcError(error)) return STATUS.failed;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return undefined;
  // What the packages call a bad argument was one of the command line; what the system says comes with its call.
  if (code.startsWith('ERR_')) return STATUS.usage;
  return syscall === undefined ? undefined : STATUS.failed;
}
