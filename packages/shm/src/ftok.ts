import { check, cString, integer, typeError, valueError } from '@octoipc/core/kit';

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
  const file = cString(path, 'path');
  const key = new Int32Array(1);
  check(binding().ftok(file, projectOf(project), key), 'ftok', { target: file });
  return key[0]! >>> 0;
}

function projectOf(project: unknown): number {
  if (typeof project === 'number') return integer(project, 'project', 1, 255);
  if (typeof project !== 'string') throw typeError('project', 'a number or a character', project);
  const code = project.charCodeAt(0);
  if (project.length !== 1 || code < 1 || code > 255) {
    throw valueError('project', 'must be one character of one byte', project);
  }
  return code;
}
