import { check } from './errors.js';
import { cString, integer, typeError, valueError } from './validate.js';

/** A binding that has ftok(3). */
export interface FtokBinding {
  ftok(path: string, project: number, key: Int32Array): number;
}

/**
 * The key of a file and a number, unsigned, as ipcs(1) shows it.
 *
 * @param path - an existing file or directory
 * @param project - 1 to 255, or one character of one byte
 * @param prefix - what comes before `path` and `project` where errors name them
 * @throws {IpcError} ENOENT when there is no such file
 * @see ftok(3)
 */
export function ftokOf(
  binding: () => FtokBinding,
  path: unknown,
  project: unknown,
  prefix = '',
): number {
  const file = cString(path, `${prefix}path`);
  const number = projectOf(project, `${prefix}project`);
  const key = new Int32Array(1);
  check(binding().ftok(file, number, key), 'ftok', { target: file });
  return key[0]! >>> 0;
}

function projectOf(project: unknown, name: string): number {
  if (typeof project === 'number') return integer(project, name, 1, 255);
  if (typeof project !== 'string') throw typeError(name, 'a number or a character', project);
  const code = project.charCodeAt(0);
  if (project.length !== 1 || code < 1 || code > 255) {
    throw valueError(name, 'must be one character of one byte', project);
  }
  return code;
}
