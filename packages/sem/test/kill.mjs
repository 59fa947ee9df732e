// Has a process killed at one step of what it does to locks, and sees that the others go on: the steps are its
// stores to their words and its native calls, or its system calls on them.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { close, open, rounds, stop } from './fixtures/kill-scenes.mjs';

/** What is done, and with whom. */
export const SCENES = Object.keys(rounds);
export const KINDS = ['stores', 'calls'];
export const missing = spawnSync('cc', ['--version']).error && 'cc is not installed';

const PATIENCE = { timeout: 60_000 };
const ROUNDS = 2;
/** What others do to a scene's victim. */
const OTHERS = { wait: 'notify', notify: 'wait' };
const path = (file) => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));

/** Compiles what kills before system calls. Lifetime: until `remove`. */
export class Killer {
  #folder = mkdtempSync(join(tmpdir(), 'octoipc-kill-'));
  #library = join(this.#folder, 'kill-calls.so');

  constructor() {
    const flags = ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
    execFileSync('cc', [...flags, '-o', this.#library, path('kill-calls.c'), '-ldl']);
  }

  remove() {
    rmSync(this.#folder, { recursive: true });
  }

  /**
   * One death, or none if there are not so many steps.
   *
   * @param processes - how many take part, this one and the victim among them; with 1 nobody disturbs it
   * @returns whether it was killed
   */
  async kill(scene, processes, kind, step) {
    const name = `/octoipc-kill-${process.pid}-${randomBytes(4).toString('hex')}`;
    const all = open(name, Math.max(processes, 2));
    const other = open(name);
    const rivals = Array.from({ length: Math.max(processes - 2, 0) }, () =>
      this.#rival(scene, name),
    );
    const victim = this.#victim(scene, name, kind, step);
    try {
      const ends = rivals.map(ended);
      const dead = ended(victim);
      await begun([...rivals, victim]);
      let over = false;
      void dead.then(() => (over = true));
      const part = { all, other, dead, isOver: () => over, alone: processes === 1 };
      // A rival that fails leaves the others waiting for it.
      const failed = new Promise((_resolve, reject) => {
        for (const end of ends) {
          void end.then(({ code, text }) => code === 0 || reject(new Error(`a rival: ${text}`)));
        }
      });
      await Promise.race([SURVIVORS[scene](part), failed]);
      const { code, signal, text } = await dead;
      if (signal !== 'SIGKILL') assert.equal(code, 0, `the victim ended with ${code}: ${text}`);
      stop(all);
      const left = Promise.all(ends);
      const rest = { gone: false };
      void left.then(() => (rest.gone = true));
      // Who waits to be notified is.
      for (; !rest.gone; await setImmediate()) all.condition.notify();
      for (const rival of await left) assert.equal(rival.code, 0, rival.text);
      await atRest(all, other);
      return signal === 'SIGKILL';
    } finally {
      for (const child of [...rivals, victim]) child.kill('SIGKILL');
      close(other);
      close(all);
    }
  }

  #victim(scene, name, kind, step) {
    const args = ['victim', scene, name, ROUNDS, kind === 'stores' ? step : 0].map(String);
    const env = { ...process.env, LD_PRELOAD: this.#library };
    if (kind === 'calls') env.OCTOIPC_KILL = String(step);
    return spawn(process.execPath, [path('kill-peer.mjs'), ...args], { env });
  }

  #rival(scene, name) {
    // At a barrier all make as many rounds.
    const args = scene === 'barrier' ? [String(ROUNDS)] : [];
    return spawn(process.execPath, [
      path('kill-peer.mjs'),
      'rival',
      OTHERS[scene] ?? scene,
      name,
      ...args,
    ]);
  }
}

/**
 * Has processes begin once all of them are there, or ended: nobody's patience is for what it takes to start on
 * a busy machine.
 */
async function begun(children) {
  const ready = (child) => Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  await Promise.all(children.map(ready));
  for (const { stdin } of children) {
    stdin.on('error', () => {});
    stdin.end('\n');
  }
}

/** How a process ended, and what it said. */
async function ended(child) {
  let text = '';
  child.stdout.on('data', (part) => (text += part));
  child.stderr.on('data', (part) => (text += part));
  const [code, signal] = await once(child, 'close');
  return { code, signal, text };
}

/** This process makes rounds of its own while the victim lives, and some more. */
const beside =
  (scene) =>
  async ({ all, dead, isOver, alone }) => {
    if (alone) await dead;
    all.pause = () => setImmediate();
    for (; !isOver(); await setImmediate()) await rounds[scene](all);
    all.pause = undefined;
    for (let n = 0; n < 3; n++) await rounds[scene](all);
  };

/** What this process does while the victim lives, and after: it ends if nothing was lost. */
const SURVIVORS = {
  mutex: beside('mutex'),
  'mutex-sync': beside('mutex'),
  rwlock: beside('rwlock'),
  /** The victim waits: it is notified for as long as it lives. */
  async wait({ all, other, dead, isOver }) {
    for (; !isOver(); await setImmediate()) {
      if (all.condition.waiters > 0) await rounds.notify(other);
    }
    await dead;
  },
  /** The victim notifies, or this process does it itself. */
  async notify({ all, other, dead, isOver }) {
    const state = { waiting: true };
    const wait = rounds.wait(all).then(() => (state.waiting = false));
    await dead;
    for (; state.waiting; await setImmediate()) if (isOver()) await rounds.notify(other);
    await wait;
  },
  /** Who has died is stood in for. */
  async barrier({ all, other, dead }) {
    const over = new AbortController();
    const mine = (async () => {
      for (let n = 0; n < ROUNDS; n++) await rounds.barrier(all);
      over.abort();
    })();
    // Who waits in vain tells so at once, also of a victim that hangs.
    const { signal } = await Promise.race([dead, mine.then(() => dead)]);
    const stand = async () => {
      if (signal !== 'SIGKILL') return;
      while (!over.signal.aborted) {
        await other.barrier.arrive({ signal: over.signal }).catch((error) => {
          if (!over.signal.aborted) throw error;
        });
      }
    };
    await Promise.all([mine, stand()]);
  },
};

/** Everything can be had, by whoever comes; nobody is left inside, or waits. */
async function atRest(all, other) {
  await rounds.mutex(all);
  await rounds.rwlock(other);
  for (const take of [() => all.mutex.lock(PATIENCE), () => other.table.writeLock(PATIENCE)]) {
    const guard = await take();
    assert.equal(guard.recovered, null);
    guard.unlock();
  }
  assert.equal(all.mutex.owner, null);
  assert.equal(all.table.owner, null);
  assert.equal(all.mutex.waiters, 0);
  assert.deepEqual(all.table.readers, []);
  assert.equal(all.condition.waiters, 0);
  const waiting = rounds.wait(all);
  while (all.condition.waiters === 0) await setImmediate();
  await rounds.notify(other);
  await waiting;
  assert.equal(all.barrier.arrived, 0);
}
