import { appendFileSync } from 'node:fs';

const file = process.env['OCTOIPC_TALLY'];

/**
 * Tells `npm run reliability` what was tried: so many, of each mechanism.
 *
 * @param what - the column of docs/reliability.md
 * @param mechanisms - once for each that was tried; the first word of each is its package
 */
export function tally(
  what: 'killPoints' | 'faults' | 'inputs',
  mechanisms: readonly string[],
): void {
  if (file === undefined) return;
  const lines = mechanisms.map((name) => `${JSON.stringify({ what, name })}\n`);
  appendFileSync(file, lines.join(''));
}
