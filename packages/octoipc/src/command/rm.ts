import { isIpcError } from '@octoipc/core';

import { encodeName, kindsOf, parseAddress } from '../objects/address.js';
import { takeInventory } from '../objects/inventory.js';
import { removeObject, type Removal } from './removal.js';
import { jsonOf } from './json.js';
import { STATUS } from './status.js';
import { complain, reasonOf } from './verb.js';

/** What `octoipc rm` takes. */
export interface RmOptions {
  readonly json?: boolean;
  readonly force?: boolean;
}

/**
 * The verb `rm`: each of the objects, whatever becomes of the others.
 *
 * @param urls - of the objects
 * @param options - of the command line
 * @returns the exit status
 */
export function rm(urls: readonly string[], { json = false, force = false }: RmOptions): number {
  // Nothing is removed if one of them is wrong: what was meant is unknown.
  const kinds = new Set(urls.flatMap((url) => kindsOf(parseAddress(url))));
  // One look for all of them: there may be thousands.
  const inventory = takeInventory({ kinds: [...kinds] });
  const byUrl = new Map(inventory.entries.map((entry) => [entry.url, entry]));
  const results = urls.map((url): Removal => {
    try {
      return removeObject(url, { ...inventory, byUrl }, force);
    } catch (error) {
      if (!isIpcError(error)) throw error;
      if (!json) complain('rm', error);
      return { url: encodeName(url), removed: false, reason: reasonOf(error) };
    }
  });
  if (json) process.stdout.write(`${jsonOf(results, 2)}\n`);
  else {
    const done = results.filter(({ removed }) => removed);
    process.stdout.write(done.map(({ url, reason }) => `${url}: ${reason}\n`).join(''));
  }
  return results.every(({ removed }) => removed) ? STATUS.ok : STATUS.failed;
}
