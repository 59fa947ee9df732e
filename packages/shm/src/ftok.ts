import { ftokOf } from '@octoipc/core/kit';

import { binding } from './binding.js';

/**
 * A key from a file that exists and a number, the same for every program that computes it: ftok(3). Keys
 * may collide: whoever creates should do so `exclusive`.
 *
 * @param path - an existing file or directory
 * @param project - 1 to 255, or one character, as C has it: `'A'`
 * @returns the key, unsigned, as ipcs(1) shows it
 * @throws {IpcError} ENOENT when there is no such file
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when project is no such character
 * @throws {RangeError} ERR_OUT_OF_RANGE when project is no such number
 * @example
 * ```js
 * import { ftok } from '@octoipc/shm';
 *
 * ftok('/etc', 'A') === ftok('/etc', 65); //=> true
 * ```
 * @see ftok(3)
 */
export function ftok(path: string, project: number | string): number {
  return ftokOf(binding, path, project);
}
