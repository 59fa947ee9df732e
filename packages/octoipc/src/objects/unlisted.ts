import type { Address } from './address.js';
import { looseFile } from './loose-file.js';
import type { Entry } from './object.js';
import { unopenedQueue } from './queues.js';
import type { Surroundings } from './surroundings.js';

/**
 * What a URL names that no list has: a file that nobody has open, or a queue that nobody has open where
 * queues cannot be listed.
 *
 * @param address - what was asked for
 * @param around - processes and records
 * @returns an entry, or undefined if there is none
 */
export function unlisted(address: Address, around: Surroundings): Entry | undefined {
  const { kind, name } = address;
  if (kind === 'mq' && name !== undefined) return unopenedQueue(name, around);
  return looseFile(address, around);
}
