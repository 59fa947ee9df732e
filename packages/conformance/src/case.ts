import { lacking, type Adapter } from './adapter.js';
import { patience } from './patience.js';
import { Scope } from './scope.js';

/** One test of a suite. */
export interface Case<A extends Adapter> {
  /** What the suite's own tests call it. */
  readonly key: string;
  /** Ids of the assertions that it checks, of every mechanism, with spaces between. */
  readonly ids: string;
  /** Symbol, promise, condition. */
  readonly promise: string;
  /** The traits without which it does not apply. @default [] */
  readonly needs?: readonly TraitOf<A>[];
  /** Milliseconds until the watchdog ends it. @default 15000 */
  readonly watchdog?: number;
  run(adapter: A, scope: Scope): Promise<void> | void;
}

/** The traits that an adapter of this kind may lack. */
export type TraitOf<A extends Adapter> = A extends Adapter<infer Trait> ? Trait : never;

/** All tests of one trait. */
export interface Suite<A extends Adapter> {
  /** The trait, as the titles name it. */
  readonly trait: string;
  readonly cases: readonly Case<A>[];
}

/** How a case ended. */
export interface CaseReport {
  readonly key: string;
  readonly status: 'passed' | 'failed' | 'not applicable';
  /** What it failed with. */
  readonly error?: unknown;
  /** Why it does not apply. */
  readonly reason?: string;
}

const WATCHDOG = 15_000;

/**
 * Runs one case; whatever it opened is released, and a case that hangs is ended by its watchdog.
 *
 * @param suiteCase - the case
 * @param adapter - the mechanism under test
 * @param watchdog - milliseconds that it may take
 * @throws {AssertionError} what the case found, or that its time was over
 */
export async function runCase<A extends Adapter>(
  suiteCase: Case<A>,
  adapter: A,
  watchdog: number = (suiteCase.watchdog ?? WATCHDOG) * patience,
): Promise<void> {
  const scope = new Scope();
  let timer: NodeJS.Timeout | undefined;
  const timeIsOver = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${suiteCase.key}: not done after ${watchdog} ms`));
    }, watchdog);
  });
  try {
    await Promise.race([start(suiteCase, adapter, scope), timeIsOver]);
  } catch (error) {
    // What the case found matters more than what its cleaning up may find.
    await scope.release().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
  await scope.release();
}

async function start<A extends Adapter>(
  suiteCase: Case<A>,
  adapter: A,
  scope: Scope,
): Promise<void> {
  await suiteCase.run(adapter, scope);
}

/**
 * Runs a suite without a test runner, one case after the other.
 *
 * @param suite - one of `suites`
 * @param adapter - the mechanism under test
 * @param options - `watchdog`: milliseconds for each case; `only`: the keys of the cases to run
 * @returns a report of each case, in the suite's order
 * @example
 * ```js
 * import { runSuite, suites } from '@octoipc/conformance/suites';
 *
 * const broken = { name: 'nothing()', mechanism: 'MINE', open: () => { throw new Error('no'); } };
 * const reports = await runSuite(suites.byteStream, broken);
 * reports.every(({ status }) => status === 'failed'); //=> true
 * ```
 */
export async function runSuite<A extends Adapter>(
  suite: Suite<A>,
  adapter: A,
  options: { readonly watchdog?: number; readonly only?: readonly string[] } = {},
): Promise<CaseReport[]> {
  const { watchdog, only } = options;
  const reports: CaseReport[] = [];
  for (const suiteCase of suite.cases) {
    const { key, needs } = suiteCase;
    if (only !== undefined && !only.includes(key)) continue;
    const reason = lacking(adapter, needs);
    if (reason !== undefined) {
      reports.push({ key, status: 'not applicable', reason });
      continue;
    }
    try {
      await runCase(suiteCase, adapter, watchdog);
      reports.push({ key, status: 'passed' });
    } catch (error) {
      reports.push({ key, status: 'failed', error });
    }
  }
  return reports;
}
