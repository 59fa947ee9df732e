import { ftokOf, integer, typeError, valueError } from '@octoipc/core/kit';

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
    return ftokOf(binding, value.path, value.project, 'key.');
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
