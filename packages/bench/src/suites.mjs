// @ts-check
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'suites');

/** The names of all suites. */
export const SUITES = readdirSync(folder).map((file) => file.replace(/\.mjs$/, ''));

/**
 * @param {string} suite
 * @returns {Promise<import('./compare.mjs').Row[]>}
 */
export async function rowsOf(suite) {
  return (await import(`./suites/${suite}.mjs`)).rows();
}

/** What has a target, of all suites. */
export async function aims() {
  const found = [];
  for (const suite of SUITES) {
    for (const { id, against } of await rowsOf(suite)) {
      for (const { name, target } of against)
        if (target !== undefined) found.push({ suite, row: id, against: name });
    }
  }
  return found;
}
