import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Killer, KINDS, missing, SCENES } from './kill.mjs';

if (missing !== undefined) console.log(`skipped: ${missing}`);

/** So many deaths of each kind here; `npm run soak -- sem-kill` has one at every step. */
const DEATHS = 2;
/** About as many steps as the shortest scene has. */
const STEPS = { stores: 12, calls: 2 } as const;

let killer: Killer | undefined;
beforeAll(() => {
  if (missing === undefined) killer = new Killer();
});
afterAll(() => killer?.remove());

describe.skipIf(missing !== undefined)('a process is killed before a step, with one other', () => {
  test.each(SCENES)(
    '%s: the others go on, are told, and find all as it should be',
    async (scene) => {
      let deaths = 0;
      for (const kind of KINDS) {
        for (let n = 0; n < DEATHS; n++) {
          const step = 1 + Math.floor(Math.random() * STEPS[kind]);
          const killed = await killer!.kill(scene, 2, kind, step).catch((cause: unknown) => {
            throw new Error(`${scene}, ${kind}, step ${step}`, { cause });
          });
          deaths += Number(killed);
        }
      }
      expect(deaths).toBeGreaterThan(0);
    },
    120_000,
  );
});
