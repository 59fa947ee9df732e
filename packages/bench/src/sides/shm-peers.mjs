// @ts-check
// shm-peers.mjs EXERCISE SIZE: memory of shm-typed-array: made, stored to, detached; or attached, read and
// detached.
import { keysOf, load } from '../peers.mjs';
import { now, serve } from './side.mjs';

const [exercise = '', sizeText] = process.argv.slice(2);
const shm = await load('shm-typed-array');
const size = Number(sizeText);
const [key] = keysOf(process.pid);

/** @type {Record<string, () => (n: number) => void>} */
const exercises = {
  open: () => (n) => {
    const memory = shm.create(size, 'Buffer', key);
    memory[0] = n;
    shm.destroy(memory.key);
  },
  // Ends with ENOMEM, which is why no row has it: of a segment that was attached before no new address is kept, and
  // the one that is kept has been detached.
  attach: () => {
    const made = shm.create(size, 'Buffer', key);
    process.once('exit', () => shm.destroy(made.key));
    return () => {
      const memory = shm.get(made.key, 'Buffer');
      void memory[0];
      shm.detach(made.key);
    };
  },
};

const once = /** @type {Record<string, () => (n: number) => void>} */ (exercises)[exercise]?.();
if (once === undefined) throw new Error(`no exercise ${exercise}`);
await serve((count) => {
  const start = now();
  for (let n = 0; n < count; n++) once(n);
  return { ns: now() - start };
});
