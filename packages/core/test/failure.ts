/** What an error of ours, or of a bad argument, tells. */
export type Failure = Error & {
  readonly code?: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly target?: string | number;
  readonly hint?: string;
  readonly bytesWritten?: number;
};

/** What the work throws or rejects with; fails if it succeeds. */
export async function failure(work: () => unknown): Promise<Failure> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    return error as Failure;
  }
  throw new Error(`it succeeded, with ${String(result)}`);
}

/** The code of what the work throws or rejects with. */
export async function codeOf(work: () => unknown): Promise<string | undefined> {
  return (await failure(work)).code;
}

/** The code of what the work throws at once; a promise is no failure. */
export function codeNow(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return (error as Failure).code;
  }
  throw new Error('it threw nothing');
}
