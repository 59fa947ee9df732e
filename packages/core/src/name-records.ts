import { fstatSync, readdirSync, readFileSync, readSync } from 'node:fs';

import type { NameRecord } from './names.js';

/** The names of the files, in their order. */
export function recordsIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

/** What an open record says; undefined if it says nothing. */
export function recordIn(fd: number): NameRecord | undefined {
  const buffer = Buffer.alloc(fstatSync(fd).size);
  return parsed(buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0)));
}

/** The same by its path. */
export function recordAt(path: string): NameRecord | undefined {
  try {
    return parsed(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // Gone since it was listed.
  }
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
