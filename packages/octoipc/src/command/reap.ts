import { reap as reapNames } from '@octoipc/core';

import { takeInventory } from '../objects/inventory.js';
import { loadReapers, urlOfRecord } from '../objects/temporaries.js';
import { color } from './colors.js';
import { jsonOf } from './json.js';
import { printable } from './printable.js';
import { STATUS } from './status.js';

/** What became of a name, or would. */
interface Verdict {
  readonly kind: string;
  readonly url: string;
  /** The process that made it; null of what has no record. */
  readonly pid: number | null;
  readonly removed: boolean;
  readonly reason: string;
}

/** Why an orphan stays that no record tells of. */
const NO_RECORD =
  'nobody has it, but it was not made temporary: it may be meant to outlive its users; octoipc rm removes it';

/**
 * The verb `reap`.
 *
 * @param options - of the command line
 * @returns the exit status
 */
export function reap(options: { readonly dryRun?: boolean; readonly json?: boolean }): number {
  const { dryRun = false, json = false } = options;
  loadReapers();
  const recorded = reapNames({ dryRun }).map(({ kind, name, pid, removed, reason }): Verdict => ({
    kind,
    url: urlOfRecord({ kind, name }) ?? printable(name),
    pid,
    removed,
    reason,
  }));
  const told = new Set(recorded.map(({ url }) => url));
  const { entries } = takeInventory({ orphaned: true });
  const others = entries
    .filter(({ url }) => !told.has(url))
    .map(({ kind, url }): Verdict => ({ kind, url, pid: null, removed: false, reason: NO_RECORD }));
  const verdicts = [...recorded, ...others];
  if (json) process.stdout.write(`${jsonOf(verdicts, 2)}\n`);
  else process.stdout.write(text(verdicts, dryRun));
  return STATUS.ok;
}

function text(verdicts: readonly Verdict[], dryRun: boolean): string {
  const goes = dryRun ? 'would go' : 'removed';
  const lines = verdicts.map(({ url, removed, reason }) => {
    const verdict = removed ? color.green(goes.padEnd(8)) : color.dim('stays   ');
    return `${verdict}  ${url}: ${printable(reason)}\n`;
  });
  const count = verdicts.filter(({ removed }) => removed).length;
  const summary = `${count} ${dryRun ? 'would go' : 'removed'}, ${verdicts.length - count} left alone\n`;
  return lines.join('') + summary;
}
