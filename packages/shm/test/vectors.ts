import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A script, and the memory that comes of it: docs/layout.md. */
export interface Vector {
  readonly script: readonly string[];
  readonly memory: Record<string, string>;
}

/** The vectors of docs/layout-vectors.json. */
export const vectors = JSON.parse(
  readFileSync(
    fileURLToPath(new URL('../../../docs/layout-vectors.json', import.meta.url)),
    'utf8',
  ),
) as Record<'ring' | 'broadcast' | 'value', Vector[]>;

/** 16 bytes a line, without those that are 0. */
export function linesOf(memory: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(memory);
  const lines: Record<string, string> = {};
  for (let at = 0; at < bytes.length; at += 16) {
    const hex = bytes.toString('hex', at, at + 16);
    if (!/^0+$/.test(hex)) lines[at] = hex;
  }
  return lines;
}
