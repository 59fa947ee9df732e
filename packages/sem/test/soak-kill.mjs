// npm run soak -- sem-kill [--quick]: a process is killed at every step of what it does to locks, alone, with
// another one and with two; the others must go on. With --quick at every fifth step.
import { Killer, KINDS, missing, SCENES } from './kill.mjs';

const stride = process.argv.includes('--quick') ? 5 : 1;
/** So often must a victim have ended by itself until there are no more steps: how many there are varies. */
const ENOUGH = 3;

if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit(0);
}

const killer = new Killer();
let failures = 0;
try {
  for (const scene of SCENES) {
    for (const processes of [1, 2, 3]) {
      for (const kind of KINDS) {
        let deaths = 0;
        let survived = 0;
        for (let step = 1; survived < ENOUGH; step += stride) {
          try {
            if (await killer.kill(scene, processes, kind, step)) deaths += 1;
            else survived += 1;
          } catch (error) {
            failures += 1;
            console.log(
              `sem-kill: ${scene}, ${processes} processes, ${kind}, step ${step}:`,
              error,
            );
            survived += 1;
          }
        }
        console.log(`sem-kill: ${scene}, ${processes} processes: ${deaths} deaths at ${kind}`);
      }
    }
  }
} finally {
  killer.remove();
}
if (failures > 0) process.exitCode = 1;
