import { InvalidArgumentError, Option, type Command } from 'commander';

import type { Filter } from '../objects/inventory.js';
import { KINDS, type Kind } from '../objects/object.js';

/** The filters of a command line. */
export interface FilterOptions {
  readonly kind?: readonly Kind[];
  readonly orphaned?: boolean;
  readonly mine?: boolean;
  readonly pid?: number;
}

/** Adds the options by which objects are chosen. */
export function addFilters(verb: Command): Command {
  return verb
    .addOption(kindOption())
    .option('-o, --orphaned', 'only what nobody who lives has')
    .option('-m, --mine', 'only what belongs to this user')
    .option('-p, --pid <pid>', 'only what this process has', (value) => whole(value));
}

/** Choices for completion; the parser of ours takes lists, too. */
function kindOption(): Option {
  const what = 'these kinds only; repeat it, or separate by commas';
  return new Option('-k, --kind <kind>', what)
    .choices(KINDS)
    .argParser((value: string, before: Kind[] | undefined) => kinds(value, before));
}

/** The filter of a command line. */
export function filterOf(options: FilterOptions, pattern?: string): Filter {
  const { kind, orphaned, mine, pid } = options;
  return { kinds: kind, orphaned, mine, pid, pattern };
}

function kinds(value: string, before: readonly Kind[] = []): Kind[] {
  const names = value.split(',').map((name) => name.trim());
  return [
    ...before,
    ...names.map((name) => {
      const kind = KINDS.find((each) => each === name);
      if (kind !== undefined) return kind;
      throw new InvalidArgumentError(`No kind '${name}'; known: ${KINDS.join(', ')}.`);
    }),
  ];
}

/**
 * An option's value that is a whole number.
 *
 * @param value - as it was typed
 * @param least - the lowest that it may be
 * @returns the number
 * @throws {InvalidArgumentError} when it is none
 */
export function whole(value: string, least = 1): number {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least) return number;
  throw new InvalidArgumentError(`It is a whole number, ${least} or more.`);
}

/** An option's value that is a number over 0, with a fraction or not. */
export function positive(value: string): number {
  const number = /^\d{1,9}(?:\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
  if (number > 0) return number;
  throw new InvalidArgumentError('It is a number over 0.');
}
