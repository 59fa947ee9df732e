/** A protocol as a machine, whose every step is one access to shared memory. */
export interface Machine<State> {
  readonly start: State;
  cloneOf(state: State): State;
  /** What can happen next, each to a copy; what throws is wrong. */
  stepsFrom(state: State): ((state: State) => void)[];
  /** Where nothing can happen: whether all was done. */
  isDone(state: State): boolean;
  /** Where nothing can happen and not all was done: those who sleep look by themselves, or are stuck for ever. */
  lookUp(state: State): boolean;
}

/**
 * A search through all states, by every interleaving.
 *
 * @returns what is wrong with the protocol; `undefined` if nothing is, and how many states there are
 */
export function search<State>(machine: Machine<State>): {
  states: number;
  wrong: string | undefined;
} {
  const seen = new Set([JSON.stringify(machine.start)]);
  const open = [machine.start];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const self = JSON.stringify(state);
    let moved = false;
    const visit = (next: State): void => {
      const key = JSON.stringify(next);
      moved ||= key !== self;
      if (seen.has(key)) return;
      seen.add(key);
      open.push(next);
    };
    for (const step of machine.stepsFrom(state)) {
      const next = machine.cloneOf(state);
      try {
        step(next);
      } catch (error) {
        return { states: seen.size, wrong: `${(error as Error).message}: ${self}` };
      }
      visit(next);
    }
    if (moved || machine.isDone(state)) continue;
    const next = machine.cloneOf(state);
    if (!machine.lookUp(next)) return { states: seen.size, wrong: `stuck: ${self}` };
    visit(next);
  }
  return { states: seen.size, wrong: undefined };
}
