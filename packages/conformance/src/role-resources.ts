import { closeSync, openSync } from 'node:fs';

import { isIpcError } from '@octoipc/core';

import {
  collectGarbage,
  descriptors,
  mappings,
  newDescriptors,
  privateMemory,
  until,
} from './census.js';
import type { Roles, Stage } from './stage.js';

const DROPPED = 20;
const COLLECTIONS = 50;
const MOST_NEEDED = 8;
/** What a limit on objects says, of the process or of the system. */
const FULL = ['EMFILE', 'ENFILE', 'ENOSPC'];
/** The part of the handles that comes before the count begins. */
const WARM_UP = 1 / 20;

/** Opens one and lets it be served once, so that everything it ever makes is made. */
async function used({ actor }: Stage) {
  const thing = await actor('waitable')();
  const wait = thing.wait();
  await thing.give(1);
  await wait;
  return thing;
}

/** Opens one; where what was dropped still fills a limit of the system, after it is collected. */
async function openedOrRetried({ actor }: Stage): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      return void (await actor('waitable')());
    } catch (error) {
      const full = FULL.some((code) => isIpcError(error, code));
      if (!full || i === COLLECTIONS) throw error;
      await collectGarbage(1);
    }
  }
}

/** Takes all descriptors that are left. */
function takeAll(taken: number[]): number {
  for (let count = 0; ; count++) {
    try {
      taken.push(openSync('/dev/null', 'r'));
    } catch {
      return count;
    }
  }
}

/** Roles of the resources suite. */
export const resourceRoles: Roles = {
  /** Drops handles without closing them. */
  async drop(stage) {
    const warnings: string[] = [];
    process.on('warning', ({ name }) => warnings.push(name));
    (await used(stage)).close();
    const before = descriptors();
    for (let i = 0; i < DROPPED; i++) await used(stage);
    const opened = newDescriptors(before).size;
    for (let i = 0; i < COLLECTIONS && newDescriptors(before).size > 0; i++) await collectGarbage();
    const leaked = newDescriptors(before).size;
    stage.say(JSON.stringify({ opened, leaked, warnings }));
  },

  /** Opens and drops very many handles, and tells what grew. */
  async churn(stage) {
    const drop = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await openedOrRetried(stage);
        if (i % stage.atOnce === 0) await collectGarbage(1);
      }
      await collectGarbage();
    };
    const count = Number(stage.args[0]);
    await drop(count * WARM_UP);
    const before = descriptors();
    const [mappingsBefore, memoryBefore] = [mappings(), privateMemory()];
    await drop(count);
    await until(() => newDescriptors(before).size === 0);
    stage.say(
      JSON.stringify({
        descriptors: newDescriptors(before).size,
        mappings: mappings() - mappingsBefore,
        memory: privateMemory() - memoryBefore,
      }),
    );
  },

  /** Opens with just 0, 1, 2, … descriptors left. */
  async exhaust(stage) {
    (await used(stage)).close();
    const taken: number[] = [];
    takeAll(taken);
    const results: { free: number; code: string; left: number }[] = [];
    for (let free = 0; free <= MOST_NEEDED; free++) {
      for (const fd of taken.splice(0, free)) closeSync(fd);
      let code = 'opened';
      try {
        (await stage.actor('waitable')()).close();
      } catch (error) {
        code = isIpcError(error) ? error.code : String(error);
      }
      results.push({ free, code, left: takeAll(taken) });
    }
    for (const fd of taken) closeSync(fd);
    (await used(stage)).close();
    stage.say(JSON.stringify(results));
  },
};
