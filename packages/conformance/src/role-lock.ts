import { readFileSync, writeFileSync } from 'node:fs';

import { hold, type Roles } from './stage.js';
import { turns } from './turns.js';

const kept: unknown[] = [];

/** Roles of the lock suite. */
export const lockRoles: Roles = {
  /** Takes a lock, and holds it until it is killed. */
  async 'hold-lock'({ actor, args, say }) {
    const lock = await actor('lock')(args[0] ?? '');
    kept.push(lock, await lock.lock());
    say('locked');
    hold();
  },

  /** Counts up in a file, under a lock, without which counts would be lost. */
  async increment({ actor, args, say, hear }) {
    const [name = '', file = '', times = '0'] = args;
    const lock = await actor('lock')(name);
    say('ready');
    await hear();
    for (let i = 0; i < Number(times); i++) {
      const held = await lock.lock();
      const count = Number(readFileSync(file, 'utf8'));
      await turns(1);
      writeFileSync(file, String(count + 1));
      held.release();
    }
    lock.close();
    say('done');
    process.exit(0);
  },
};
