import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { NamedObjectAdapter } from './named-object.js';
import { freshName } from './named-object-names.js';
import { throws } from './outcome.js';
import { RoleProcess } from './role-process.js';

const TEMPORARY = JSON.stringify({ temporary: true });

/** What outlives what. */
export const lifetimes: readonly Case<NamedObjectAdapter>[] = [
  {
    key: 'persists',
    ids: 'MQ-066 SVMSG-037 SEM-026 SHM-015',
    promise: 'close() leaves the name and its content to the next who opens it',
    needs: ['persistent', 'content'],
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      const first = scope.use(adapter.open(name, { create: true }));
      adapter.mark?.(first, 6);
      first.close();
      assert.ok(adapter.list().includes(name));
      assert.equal(adapter.marked?.(scope.use(adapter.open(name))), 6);
    },
  },
  {
    key: 'outlives-its-creator',
    ids: 'MQ-001 SVMSG-037 SHM-015',
    promise: 'open() finds what a process created that has ended since',
    needs: ['persistent'],
    async run(adapter, scope) {
      const name = freshName(adapter, scope);
      const role = RoleProcess.start(adapter, scope, 'create', name);
      await role.says('created');
      scope.use(adapter.open(name)).close();
      role.tell('exit');
      await role.endsWith(0);
      scope.use(adapter.open(name));
    },
  },
  {
    key: 'unlink',
    ids: 'MQ-050 SEM-027 SHM-012',
    promise: 'unlink() removes the name: open() and another unlink() are ENOENT',
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      scope.use(adapter.open(name, { create: true })).close();
      adapter.unlink(name);
      assert.ok(!adapter.list().includes(name));
      throws(() => scope.use(adapter.open(name)), 'ENOENT');
      throws(() => adapter.unlink(name), 'ENOENT');
    },
  },
  {
    key: 'unlinked-lives',
    ids: 'MQ-051 SEM-028 SHM-013 FIFO-017 RING-012',
    promise: 'unlink() leaves it to those who have it open; creating again makes another one',
    needs: ['unlinkedLives', 'content'],
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      const old = scope.use(adapter.open(name, { create: true }));
      adapter.unlink(name);
      const recreated = scope.use(adapter.open(name, { create: true, exclusive: true }));
      adapter.mark?.(old, 7);
      adapter.mark?.(recreated, 3);
      assert.equal(adapter.marked?.(old), 7);
      assert.equal(adapter.marked?.(recreated), 3);
    },
  },
  {
    key: 'temporary-closed',
    ids: '',
    promise: 'open({ temporary: true }): the name goes when its creator closes',
    needs: ['temporary'],
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      const handle = scope.use(adapter.open(name, { create: true, temporary: true }));
      scope.use(adapter.open(name)).close();
      assert.ok(adapter.list().includes(name), 'it went when another handle closed');
      handle.close();
      assert.ok(!adapter.list().includes(name), 'it is still there');
    },
  },
  {
    key: 'temporary-exited',
    ids: 'BIND-018',
    promise: 'open({ temporary: true }): the name goes when its creator exits',
    needs: ['temporary'],
    async run(adapter, scope) {
      const name = freshName(adapter, scope);
      const role = RoleProcess.start(adapter, scope, 'create', name, TEMPORARY);
      await role.says('created');
      assert.ok(adapter.list().includes(name));
      role.tell('exit');
      await role.endsWith(0);
      assert.ok(!adapter.list().includes(name), 'it is still there');
    },
  },
  {
    key: 'reaped',
    ids: 'BIND-018',
    promise: 'reap() removes a temporary name whose owner was killed, and no other',
    needs: ['temporary', 'reap'],
    async run(adapter, scope) {
      const [dead, alive, lasting] = [0, 1, 2].map(() => freshName(adapter, scope));
      assert.ok(dead !== undefined && alive !== undefined && lasting !== undefined);
      const victim = RoleProcess.start(adapter, scope, 'create', dead, TEMPORARY);
      const survivor = RoleProcess.start(adapter, scope, 'create', alive, TEMPORARY);
      await victim.says('created');
      await survivor.says('created');
      scope.use(adapter.open(lasting, { create: true })).close();
      await victim.kill();
      adapter.reap?.();
      const names = adapter.list();
      assert.deepEqual(
        [dead, alive, lasting].map((name) => names.includes(name)),
        [false, true, adapter.lacks?.persistent === undefined],
      );
    },
  },
];
