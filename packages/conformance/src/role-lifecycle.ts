import { readFileSync } from 'node:fs';
import { isMainThread, Worker } from 'node:worker_threads';

import { descriptors, newDescriptors, threads, until } from './census.js';
import { patience } from './patience.js';
import { turns } from './turns.js';
import { unattended, type Roles, type Stage } from './stage.js';

/** What the roles keep open until the process ends. */
const kept: unknown[] = [];

async function waiting(stage: Stage) {
  const thing = await stage.actor('waitable')();
  kept.push(thing);
  return thing;
}

/**
 * Says 'alive' if something keeps the process alive. The timers do not: if nothing else does, the
 * process ends before they are due.
 */
function sayIfAlive({ say }: Stage): void {
  const due = (): void => {
    say('alive');
    process.exit(0);
  };
  const milliseconds = 20 * patience;
  setTimeout(() => setTimeout(due, milliseconds).unref(), milliseconds).unref();
}

/** How a worker ended that was terminated while it waited: resolves when it is gone. */
async function terminated(role: readonly string[]): Promise<void> {
  const worker = new Worker(process.argv[1]!, { workerData: { role } });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  await worker.terminate();
}

/** Roles of the lifecycle suite. */
export const lifecycleRoles: Roles = {
  /** A wait that nothing ends, in a process that has nothing else to do. */
  async wait(stage) {
    const thing = await waiting(stage);
    unattended(thing.wait());
    stage.say('waiting');
    if (isMainThread) sayIfAlive(stage);
  },

  /** The same, under a handle that is unref'ed before or after, or ref'ed again. */
  async unref(stage) {
    const thing = await waiting(stage);
    const [when] = stage.args;
    if (when !== 'after') thing.handle.unref();
    unattended(thing.wait());
    if (when === 'after') thing.handle.unref();
    if (when === 'undone') thing.handle.ref();
    stage.say('waiting');
    sayIfAlive(stage);
  },

  /** A handle that has waited, was aborted and timed out, and now idles. */
  async idle(stage) {
    const thing = await waiting(stage);
    const served = thing.wait();
    await thing.give(1);
    await served;
    const controller = new AbortController();
    const aborted = thing.wait({ signal: controller.signal });
    controller.abort();
    await aborted.catch(() => {});
    await thing.wait({ timeout: 1 }).catch(() => {});
    stage.say('idle');
    sayIfAlive(stage);
  },

  /** Ends in some way while it waits. */
  async leave(stage) {
    const thing = await waiting(stage);
    unattended(thing.wait());
    await turns();
    stage.say('waiting');
    const [way] = stage.args;
    if (way === 'exit') process.exit(7);
    if (way === 'throw') setImmediate(() => void throwOnPurpose());
    if (way === 'close-and-exit') {
      thing.close();
      process.exit(7);
    }
  },

  /** Blocks its thread for ever. */
  async block(stage) {
    const thing = await waiting(stage);
    stage.say('waiting');
    thing.waitSync?.();
  },

  /** Blocks for a time, and tells how that ended; a signal it handles comes in between. */
  async interrupted(stage) {
    process.on('SIGUSR2', () => {});
    const thing = await waiting(stage);
    const begin = performance.now();
    let code: unknown;
    stage.say('blocking');
    try {
      thing.waitSync?.({ timeout: Number(stage.args[0]) });
    } catch (error) {
      ({ code } = error as { code?: unknown });
    }
    stage.say(JSON.stringify({ code, elapsed: performance.now() - begin }));
    process.exit(0);
  },

  /** Ends while a worker of its blocks. */
  async 'leave-blocked'(stage) {
    const worker = new Worker(process.argv[1]!, { workerData: { role: ['block'] } });
    worker.once('message', () => {
      stage.say('waiting');
      process.exit(7);
    });
  },

  /** Starts workers that wait, and terminates them. */
  async workers(stage) {
    const [count = '', order, main, role = 'wait'] = stage.args;
    const mine = main === 'busy' ? await waiting(stage) : undefined;
    const wait = mine?.wait();
    await terminated([role]);
    await terminated([role]);
    const [openBefore, threadsBefore] = [descriptors(), threads()];
    const all = Array.from({ length: Number(count) });
    if (order === 'at-once') {
      await Promise.all(all.map(() => terminated([role])));
    } else {
      for (const _ of all) await terminated([role]);
    }
    await until(() => newDescriptors(openBefore).size === 0 && threads() <= threadsBefore);
    const leaked = [...newDescriptors(openBefore).values()];
    await mine?.give(1);
    await wait;
    mine?.close();
    stage.say(JSON.stringify({ descriptors: leaked, threads: threads() - threadsBefore }));
  },

  /** Has only imported the package: which addons are mapped? */
  imported(stage) {
    const maps = readFileSync('/proc/self/maps', 'latin1').match(/\/\S+\.node$/gm) ?? [];
    stage.say(JSON.stringify([...new Set(maps)]));
  },
};

function throwOnPurpose(): never {
  throw new Error('uncaught on purpose');
}
