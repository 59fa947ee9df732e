/**
 * An iterator that begins with its first step.
 *
 * @param begin - makes the real one; what it throws is what that step fails with
 */
export function lazily<T>(begin: () => AsyncIterator<T>): AsyncIterator<T> {
  let steps: AsyncIterator<T> | undefined;
  return {
    next: () => (steps ??= begin()).next(),
    return: async () => (await steps?.return?.()) ?? { done: true, value: undefined },
  };
}
