import assert from 'node:assert/strict';

import type { ScriptedAdapter } from './adapter.js';
import type { Case, Suite } from './case.js';
import { RoleProcess } from './role-process.js';

/** What a mechanism may lack in its life within a process. */
export type LifecycleTrait =
  /** It can be used in workers. */
  | 'workers'
  /** The `waitable` actor has `waitSync`. */
  | 'sync';

/** How to try out the life of a mechanism's handles; its script has the actor `waitable`. */
export interface LifecycleAdapter extends ScriptedAdapter<LifecycleTrait> {}

const QUICK = process.env['OCTOIPC_QUICK'] !== undefined;
const WORKERS = QUICK ? 8 : 50;
/** Long enough to be interrupted several times. */
const BLOCKED_TIME = 300;
const BLOCKED_WORKERS = QUICK ? 4 : 10;

interface Leaks {
  readonly descriptors: readonly string[];
  readonly threads: number;
}

function workersCase(
  key: string,
  promise: string,
  args: readonly unknown[],
  needs: readonly LifecycleTrait[] = ['workers'],
): Case<LifecycleAdapter> {
  return {
    key,
    ids: 'BIND-011',
    promise,
    needs,
    watchdog: 60_000,
    async run(adapter, scope) {
      const role = RoleProcess.start(adapter, scope, 'workers', ...args);
      const leaks = await role.report<Leaks>();
      assert.deepEqual(leaks.descriptors, [], 'descriptors leaked');
      assert.ok(leaks.threads <= 0, `${leaks.threads} threads leaked`);
      await role.endsWith(0);
    },
  };
}

function endCase(
  key: string,
  ids: string,
  promise: string,
  way: string,
  code: number,
): Case<LifecycleAdapter> {
  return {
    key,
    ids,
    promise,
    async run(adapter, scope) {
      const role = RoleProcess.start(adapter, scope, 'leave', way);
      await role.says('waiting');
      await role.endsWith(code);
    },
  };
}

function aliveCase(
  key: string,
  promise: string,
  alive: boolean,
  role: string,
  ...args: readonly string[]
): Case<LifecycleAdapter> {
  return {
    key,
    ids: '',
    promise,
    async run(adapter, scope) {
      const player = RoleProcess.start(adapter, scope, role, ...args);
      await player.says(role === 'idle' ? 'idle' : 'waiting');
      const said = await player.line();
      assert.equal(said === 'alive', alive, player.complaints);
      await player.endsWith(0);
    },
  };
}

/** All cases of the life of handles within processes and workers. */
export const lifecycleSuite: Suite<LifecycleAdapter> = {
  trait: 'lifecycle',
  cases: [
    {
      key: 'import-loads-no-addon',
      ids: '',
      promise: 'import loads no native binding',
      async run(adapter, scope) {
        const role = RoleProcess.start(adapter, scope, 'imported');
        assert.deepEqual(await role.report<string[]>(), []);
        await role.endsWith(0);
      },
    },
    aliveCase('wait-keeps-alive', 'a pending wait keeps the process alive', true, 'wait'),
    aliveCase('idle-lets-go', 'an idle handle, which has waited before, does not', false, 'idle'),
    aliveCase('unref-lets-go', 'a wait after unref() does not', false, 'unref', 'before'),
    aliveCase('unref-late', 'unref() during a wait lets the process end', false, 'unref', 'after'),
    aliveCase('ref-again', 'ref() after unref() keeps it alive', true, 'unref', 'undone'),
    endCase(
      'exit-while-waiting',
      'BIND-012',
      'process.exit() ends at once while a wait is pending',
      'exit',
      7,
    ),
    endCase(
      'close-and-exit',
      'BIND-012',
      'close() and process.exit() end at once',
      'close-and-exit',
      7,
    ),
    endCase(
      'throw-while-waiting',
      'BIND-012',
      'an uncaught exception while a wait is pending ends with 1',
      'throw',
      1,
    ),
    {
      key: 'exit-while-blocked',
      ids: 'BIND-012',
      promise: 'process.exit() ends while a worker blocks in a synchronous wait',
      needs: ['workers', 'sync'],
      async run(adapter, scope) {
        const role = RoleProcess.start(adapter, scope, 'leave-blocked');
        await role.says('waiting');
        await role.endsWith(7);
      },
    },
    {
      key: 'interrupted',
      ids: 'BIND-003',
      promise:
        'a synchronous wait survives signals, SIGSTOP and SIGCONT, and still ends at its time',
      needs: ['sync'],
      async run(adapter, scope) {
        const role = RoleProcess.start(adapter, scope, 'interrupted', BLOCKED_TIME);
        await role.says('blocking');
        for (let i = 0; i < 3; i++) {
          role.child.kill('SIGUSR2');
          await role.stop();
          role.child.kill('SIGCONT');
        }
        const { code, elapsed } = await role.report<{ code: string; elapsed: number }>();
        assert.equal(code, 'ETIMEDOUT');
        assert.ok(elapsed >= BLOCKED_TIME - 1, `it gave up after ${elapsed} ms`);
        await role.endsWith(0);
      },
    },
    {
      key: 'killed-while-waiting',
      ids: '',
      promise: 'a process that waits dies of SIGTERM and SIGKILL at once',
      async run(adapter, scope) {
        for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
          const role = RoleProcess.start(adapter, scope, 'leave', 'not');
          await role.says('waiting');
          assert.deepEqual(await role.kill(signal), { code: null, signal }, role.complaints);
        }
      },
    },
    workersCase(
      'workers-at-once',
      `${WORKERS} workers at once, terminated while they wait, leave nothing; only they load the addon`,
      [WORKERS, 'at-once', 'fresh'],
    ),
    workersCase(
      'workers-in-turn',
      `${WORKERS} workers in turn, terminated while they wait, leave nothing; only they load the addon`,
      [WORKERS, 'in-turn', 'fresh'],
    ),
    workersCase(
      'workers-beside-main',
      'workers terminated while they wait do not disturb a wait of the main thread',
      [BLOCKED_WORKERS, 'at-once', 'busy'],
    ),
    workersCase(
      'workers-blocked',
      'workers terminated while they block in a synchronous wait leave nothing',
      [BLOCKED_WORKERS, 'at-once', 'fresh', 'block'],
      ['workers', 'sync'],
    ),
  ],
};
