/**
 * What every adapter says of its mechanism.
 *
 * Each suite demands all that it knows. What a mechanism cannot do it declares in `lacks`, with the
 * reason; the tests that need it are then reported as not applicable, under that reason.
 */
export interface Adapter<Trait extends string = string> {
  /** What the titles call the thing: `createPipe()`. */
  readonly name: string;
  /** The prefixes of the assertions that it is held to: `PIPE`, or `['SOCK', 'TCP']`. */
  readonly mechanism: string | readonly string[];
  /** Traits that it does not have, each with the reason. @default {} */
  readonly lacks?: { readonly [trait in Trait]?: string };
}

/** An adapter whose mechanism is tried out in other processes too. */
export interface ScriptedAdapter<Trait extends string = string> extends Adapter<Trait> {
  /**
   * The module of the mechanism's actors, a path or a file URL: it calls `playRoles` of
   * `@octoipc/conformance/roles`, and is run as a program and as a worker.
   */
  readonly script: string | URL;
}

/** Ids that bind every package, whatever its mechanism. */
const COMMON = 'BIND';

/**
 * The title of a test: the ids of the assertions that it checks for this adapter, then the promise.
 *
 * @param adapter - whose prefixes count
 * @param ids - all ids of the case, of whatever mechanism, with spaces between
 * @param promise - symbol, promise, condition
 * @returns `PIPE-007 BIND-008: read() gives …`, or the promise alone where no id is the adapter's
 */
export function titleOf(adapter: Adapter, ids: string, promise: string): string {
  const prefixes = [adapter.mechanism, COMMON].flat();
  const own = ids.split(' ').filter((id) => prefixes.some((prefix) => id.startsWith(`${prefix}-`)));
  return own.length === 0 ? promise : `${own.join(' ')}: ${promise}`;
}

/**
 * Why a case does not apply to an adapter.
 *
 * @param adapter - what declares its lacks
 * @param needs - the traits that the case needs
 * @returns the reasons, or undefined if the adapter has all of them
 */
export function lacking(adapter: Adapter, needs: readonly string[] = []): string | undefined {
  const reasons = needs.flatMap((trait) => adapter.lacks?.[trait] ?? []);
  return reasons.length === 0 ? undefined : reasons.join('; ');
}
