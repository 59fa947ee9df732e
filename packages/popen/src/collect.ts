import type { OutputReader } from './output.js';
import type { Run } from './run.js';

/**
 * All of a program's stdout up to its `maxBuffer`; more ends the program.
 *
 * @param output - its stdout
 * @param run - the program
 * @returns what came until the end, or until nobody waits for that any more
 */
export async function collect(output: OutputReader, run: Run): Promise<Buffer> {
  const { maxBuffer } = run.settings;
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    for (let chunk = await output.read(); chunk !== null; chunk = await output.read()) {
      const room = maxBuffer - total;
      const taken = chunk.length > room ? chunk.subarray(0, room) : chunk;
      chunks.push(taken);
      total += taken.length;
      if (taken === chunk) continue;
      run.stop('overflow');
      output.close();
      break;
    }
  } catch (error) {
    if (run.why === undefined) throw error;
  }
  return Buffer.concat(chunks, total);
}
