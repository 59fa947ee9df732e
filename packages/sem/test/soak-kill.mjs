// npm run soak -- sem-kill [--quick] [--json FILE]: a process is killed at every step of what it does to locks,
// alone, with another one and with two; the others must go on. With --quick at every seventh step, and never alone. What came
// out is left in FILE.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Killer, KINDS, missing, SCENES } from './kill.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    minutes: { type: 'string' },
  },
});
/** How npm run soak knows that nothing was tried. */
const SKIPPED = 77;
const stride = values.quick ? 7 : 1;
/** So often must a victim have ended by itself until there are no more steps: how many there are varies. */
const ENOUGH = values.quick ? 1 : 3;

if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit(SKIPPED);
}

const killer = new Killer();
const failures = [];
let all = 0;
try {
  for (const scene of SCENES) {
    for (const processes of values.quick ? [2, 3] : [1, 2, 3]) {
      for (const kind of KINDS) {
        let deaths = 0;
        let survived = 0;
        for (let step = 1; survived < ENOUGH; step += stride) {
          try {
            if (await killer.kill(scene, processes, kind, step)) deaths += 1;
            else survived += 1;
          } catch (error) {
            const where = `${scene}, ${processes} processes, ${kind}, step ${step}`;
            failures.push(`${where}: ${error.message}`);
            console.log(`sem-kill: ${where}:`, error);
            survived += 1;
          }
        }
        all += deaths;
        console.log(`sem-kill: ${scene}, ${processes} processes: ${deaths} deaths at ${kind}`);
      }
    }
  }
} finally {
  killer.remove();
}
if (values.json !== undefined) {
  writeFileSync(values.json, JSON.stringify({ deaths: all, failures }));
}
if (failures.length > 0) process.exitCode = 1;
