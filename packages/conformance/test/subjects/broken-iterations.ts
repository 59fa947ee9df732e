import type { IterationAdapter } from '../../src/index.js';
import { iteration } from './adapters.js';
import type { Broken } from './broken.js';

type Subject = ReturnType<typeof iteration.open>;
type Steps = AsyncIterator<Buffer>;

function broken(
  defect: string,
  rejectedBy: string,
  damage: (thing: Subject, steps: Steps) => Partial<Steps>,
): Broken<IterationAdapter> {
  const open = (): Subject => {
    const thing = iteration.open();
    const iterate = (): Steps => {
      const steps = thing.iterate();
      const sound: Steps = {
        next: () => steps.next(),
        return: () => steps.return!(),
      };
      return { ...sound, ...damage(thing, sound) };
    };
    return { ...thing, iterate };
  };
  return { defect, rejectedBy, adapter: { ...iteration, open } };
}

const ended: IteratorResult<Buffer> = { done: true, value: undefined };
const step = (value: Buffer | null): IteratorResult<Buffer> =>
  value === null ? ended : { done: false, value };

/** Broken iterations. */
export const brokenIterations: readonly Broken<IterationAdapter>[] = [
  broken('tells of a close by an error', 'closed-while-waiting', ({ handle }) => ({
    next: () => handle.read().then(step),
  })),
  broken('goes on after a close', 'closed-in-the-loop', ({ handle }, { next }) => ({
    next: () => (handle.closed ? new Promise(() => {}) : next()),
  })),
  broken('ends where it should fail', 'closed-before', ({ handle }, { next }) => ({
    next: () => (handle.closed ? Promise.resolve(ended) : next()),
  })),
  broken('leaves its steps waiting', 'left-while-waiting', () => ({
    return: () => Promise.resolve(ended),
  })),
  broken('drops what comes to a step that was left', 'left-races', ({ handle }) => {
    let leave!: (result: IteratorResult<Buffer>) => void;
    const left = new Promise<IteratorResult<Buffer>>((resolve) => {
      leave = resolve;
    });
    return {
      next: () => Promise.race([handle.read().then(step), left]),
      return: () => (leave(ended), Promise.resolve(ended)),
    };
  }),
  broken('closes the handle with the loop', 'left-open', ({ handle }) => ({
    return: () => (handle.close(), Promise.resolve(ended)),
  })),
  broken('goes on after it was left', 'left-open', ({ handle }) => ({
    next: () => handle.read().then(step),
  })),
];
