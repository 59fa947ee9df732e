import { takeInventory } from '../objects/inventory.js';
import { plain } from '../objects/object.js';
import { queueFolder } from '../objects/process-table.js';
import { color } from './colors.js';
import { filterOf, type FilterOptions } from './filters.js';
import { columnsOf, table } from './listing.js';
import { tellRefusal } from './refusal.js';
import { STATUS } from './status.js';

/** What `octoipc ls` takes. */
export interface LsOptions extends FilterOptions {
  readonly json?: boolean;
  readonly urls?: boolean;
}

/**
 * The verb `ls`.
 *
 * @param pattern - what the URL or the name is like
 * @param options - of the command line
 * @returns the exit status
 */
export function ls(pattern: string | undefined, options: LsOptions): number {
  const { entries, around } = takeInventory(filterOf(options, pattern));
  tellRefusal('ls', around);
  tellWhatIsHidden(options);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(entries.map(plain), null, 2)}\n`);
  } else if (options.urls === true) {
    process.stdout.write(entries.map(({ url }) => `${url}\n`).join(''));
  } else if (entries.length === 0) {
    process.stdout.write(`${color.dim('nothing')}\n`);
  } else {
    process.stdout.write(table(entries, columnsOf(around.processes)));
  }
  return STATUS.ok;
}

/** Queues that nobody has open can be seen in their file system only. */
function tellWhatIsHidden({ json, urls, kind, pid }: LsOptions): void {
  const asked = pid === undefined && (kind?.includes('mq') ?? true);
  if (json === true || urls === true || !asked || queueFolder() !== undefined) return;
  process.stderr.write(
    'octoipc ls: POSIX queues that nobody has open are not shown: mount -t mqueue none /dev/mqueue\n',
  );
}
