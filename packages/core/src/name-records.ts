import { fstatSync, readdirSync, readFileSync, readSync } from 'node:fs';

import { isIpcError } from './errors.js';
import type { NameRecord } from './names.js';
import { fileCall } from './record-folder.js';

/**
 * The names of the files, in their order; none where there is no folder.
 *
 * @throws {IpcError} what keeps it from being read: nobody may take that for an empty one
 */
export function recordsIn(folder: string): string[] {
  try {
    return fileCall(folder, () => readdirSync(folder)).toSorted();
  } catch (error) {
    if (isIpcError(error, 'ENOENT')) return [];
    throw error;
  }
}

/** What an open record says; undefined if it says nothing. */
export function recordIn(fd: number): NameRecord | undefined {
  const buffer = Buffer.alloc(fstatSync(fd).size);
  return parsed(buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0)));
}

/**
 * The same by its path; undefined, too, where it is gone since it was listed.
 *
 * @throws {IpcError} what keeps it from being read: nobody may take that for one that is gone
 */
export function recordAt(path: string): NameRecord | undefined {
  let text: string;
  try {
    text = fileCall(path, () => readFileSync(path, 'utf8'));
  } catch (error) {
    if (isIpcError(error, 'ENOENT')) return undefined;
    throw error;
  }
  return parsed(text);
}

function parsed(text: string): NameRecord | undefined {
  try {
    const record = JSON.parse(text) as NameRecord;
    return typeof record.kind === 'string' && typeof record.owner.pid === 'number'
      ? record
      : undefined;
  } catch {
    return undefined;
  }
}
