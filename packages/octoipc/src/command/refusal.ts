import type { Surroundings } from '../objects/surroundings.js';
import { reasonOf } from './verb.js';

/** Says on stderr that nothing is known of temporary names, where that is so. */
export function tellRefusal(name: string, { refusal }: Surroundings): void {
  if (refusal === undefined) return;
  process.stderr.write(
    `octoipc ${name}: temporary names are not told from others: ${reasonOf(refusal)}\n`,
  );
}
