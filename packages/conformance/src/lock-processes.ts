import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Case } from './case.js';
import type { LockAdapter } from './lock.js';
import { start, stillPending } from './outcome.js';
import { RoleProcess } from './role-process.js';

const PROCESSES = 4;
const TIMES = 50;

/** One holder at a time, of several processes. */
export const lockProcesses: readonly Case<LockAdapter>[] = [
  {
    key: 'between-processes',
    ids: 'SEM-012',
    promise: `lock() of ${PROCESSES} processes that count up ${TIMES} times each loses no count`,
    async run(adapter, scope) {
      const name = adapter.freshName();
      const lock = scope.use(await adapter.open(name));
      scope.defer(() => adapter.remove(name));
      const folder = mkdtempSync(join(tmpdir(), 'octoipc-lock-'));
      scope.defer(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'count');
      writeFileSync(file, '0');
      const roles = Array.from({ length: PROCESSES }, () =>
        RoleProcess.start(adapter, scope, 'increment', name, file, TIMES),
      );
      for (const role of roles) await role.says('ready');
      for (const role of roles) role.tell('go');
      for (const role of roles) await role.says('done');
      for (const role of roles) await role.endsWith(0);
      assert.equal(readFileSync(file, 'utf8'), String(PROCESSES * TIMES));
      const held = lock.tryLock();
      assert.ok(held !== null, 'it is not free in the end');
      held.release();
    },
  },
  {
    key: 'held-elsewhere',
    ids: 'SEM-012',
    promise: 'tryLock() is null and lock() waits while another process holds it',
    async run(adapter, scope) {
      const name = adapter.freshName();
      const lock = scope.use(await adapter.open(name));
      scope.defer(() => adapter.remove(name));
      const role = RoleProcess.start(adapter, scope, 'hold-lock', name);
      await role.says('locked');
      assert.equal(lock.tryLock(), null);
      const controller = new AbortController();
      const wait = start(() => lock.lock({ signal: controller.signal }));
      await stillPending(wait);
      controller.abort();
      await wait.rejection();
    },
  },
  {
    key: 'owner-killed',
    ids: 'SVSEM-022',
    promise: 'lock() that waits gets the lock of an owner that is killed, and is told',
    needs: ['recovery'],
    async run(adapter, scope) {
      const name = adapter.freshName();
      const lock = scope.use(await adapter.open(name));
      scope.defer(() => adapter.remove(name));
      const role = RoleProcess.start(adapter, scope, 'hold-lock', name);
      await role.says('locked');
      const wait = start(() => lock.lock());
      await stillPending(wait);
      await role.kill();
      const held = await wait.given();
      assert.ok(held.recovered, 'the guard does not tell that its last owner died');
      held.release();
    },
  },
];
