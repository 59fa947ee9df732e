import { availableParallelism } from 'node:os';

/** Does the same with each, as many at a time as there are processors; in the order of `items`. */
export async function inTurns(items, action) {
  const results = [];
  const queue = items.entries();
  const work = async () => {
    for (const [at, item] of queue) results[at] = await action(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}
