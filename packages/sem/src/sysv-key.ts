import { check, cString, integer, typeError, valueError } from '@octoipc/core/kit';

import { binding } from './binding.js';

/** What names a System V set: a key, a file and a number that make one, or nothing. */
export type SysvKey =
  number | 'private' | { readonly path: string; readonly project: number | string };

const MOST_KEY = 0xffff_ffff;

/** A key, unsigned; 0 for a private set. */
export function keyOf(value: unknown): number {
  if (value === 'private') return 0;
  if (typeof value === 'number') {
    integer(value, 'key', -0x8000_0000, MOST_KEY);
    if (value === 0) throw valueError('key', "must not be 0, IPC_PRIVATE: say 'private'", value);
    return value >>> 0;
  }
  if (typeof value === 'object' && value !== null && 'path' in value && 'project' in value) {
    const file = cString(value.path, 'key.path');
    const key = new Int32Array(1);
    const { project } = value;
    check(binding().ftok(file, projectOf(project), key), 'ftok', { target: file });
    return key[0]! >>> 0;
  }
  throw typeError('key', "a number, 'private', or { path, project }", value);
}

/** As C has it, where a key is an int. */
export function signed(key: number): number {
  return key | 0;
}

/** As ipcs(1) shows it. */
export function hex(key: number): string {
  return `0x${key.toString(16).padStart(8, '0')}`;
}

function projectOf(project: unknown): number {
  if (typeof project === 'number') return integer(project, 'key.project', 1, 255);
  if (typeof project !== 'string')
    throw typeError('key.project', 'a number or a character', project);
  const code = project.charCodeAt(0);
  if (project.length !== 1 || code < 1 || code > 255) {
    throw valueError('key.project', 'must be one character of one byte', project);
  }
  return code;
}
