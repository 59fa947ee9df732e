import { mechanisms } from '../tour/mechanisms.js';
import { inspectPayload, PayloadError } from '../tour/payload.js';
import { progressOn } from '../tour/progress.js';
import { footer, header, json, table } from '../tour/report.js';
import { runTour } from '../tour/tour.js';
import type { Program } from './main.js';
import { printable } from './printable.js';
import { interruption } from './process.js';
import { STATUS } from './status.js';

/** What `octoipc tour` takes. */
export interface TourCommandOptions extends Program {
  readonly only?: readonly string[];
  readonly json?: boolean;
}

/** How long the process may take to end by itself, in milliseconds. */
const LINGER = 1000;

/**
 * The verb `tour`.
 *
 * @param file - the file that travels
 * @param options - of the command line
 * @returns the exit status
 */
export async function tour(file: string, options: TourCommandOptions): Promise<number> {
  using interrupted = interruption();
  const { signal } = interrupted;
  const { json: asJson = false, only, program } = options;
  const chosen = mechanisms.filter(({ name }) => only?.includes(name) ?? true);
  try {
    const payload = await inspectPayload(file, signal);
    if (!asJson) process.stdout.write(header(payload, chosen));
    using watcher = progressOn(process.stderr, { payload, quiet: asJson });
    const results = await runTour({ mechanisms: chosen, payload, program, watcher, signal });
    watcher.clear();
    // A row that was given up may have left something that waits.
    setTimeout(() => process.exit(), LINGER).unref();
    process.stdout.write(asJson ? json(results) : table(results) + footer(results));
    return results.every(({ verified }) => verified) ? STATUS.ok : STATUS.failed;
  } catch (error) {
    if (interrupted.status !== undefined) return interrupted.status;
    if (!(error instanceof PayloadError)) throw error;
    process.stderr.write(`octoipc tour: ${printable(file)}: ${error.message}\n`);
    return STATUS.usage;
  }
}
