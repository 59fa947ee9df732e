// @ts-check
import { node } from './programs.mjs';

/**
 * What an import takes in a new process.
 *
 * @param {string} specifier
 * @param {number} [most] - milliseconds more than an empty module
 * @returns {import('./compare.mjs').Row}
 */
export const imported = (specifier, most = 5) => ({
  id: specifier === 'octoipc' ? 'import-octoipc' : 'import',
  title: `import '${specifier}', in a new process`,
  waiting: '-',
  kind: 'milliseconds',
  unit: 'imports',
  count: 1,
  ours: node('import', specifier),
  against: [{ name: 'an empty module', command: node('import', './empty.mjs'), target: most }],
});
