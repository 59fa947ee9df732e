import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { NamedObjectAdapter } from './named-object.js';
import { failureOf, throws, thrownBy } from './outcome.js';
import { RoleProcess } from './role-process.js';
import type { Scope } from './scope.js';

const RACERS = 4;

/** A name that goes at the end, if it is there then. */
export function freshName(adapter: NamedObjectAdapter, scope: Scope): string {
  const name = adapter.freshName();
  scope.defer(() => remove(adapter, name));
  return name;
}

/** Removes what is there: no list is asked, which may not show what nobody has open. */
function remove(adapter: NamedObjectAdapter, name: string): void {
  try {
    adapter.unlink(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Creating, opening and listing, and what a name may be. */
export const naming: readonly Case<NamedObjectAdapter>[] = [
  {
    key: 'absent',
    ids: 'MQ-002 SVMSG-002 SEM-002 SVSEM-002 SHM-003 SVSHM-002',
    promise: 'open() of a name that does not exist is ENOENT, and creates nothing',
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      throws(() => scope.use(adapter.open(name)), 'ENOENT');
      assert.ok(!adapter.list().includes(name));
    },
  },
  {
    key: 'create',
    ids: '',
    promise: 'open({ create: true }) creates what is missing, and list() shows it',
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      scope.use(adapter.open(name, { create: true }));
      assert.ok(adapter.list().includes(name), 'list() does not show it');
      scope.use(adapter.open(name));
    },
  },
  {
    key: 'create-existing',
    ids: 'SEM-004 SVMSG-003',
    promise: 'open({ create: true }) opens what exists, as it is',
    needs: ['content'],
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      const first = scope.use(adapter.open(name, { create: true }));
      adapter.mark?.(first, 5);
      const second = scope.use(adapter.open(name, { create: true }));
      assert.equal(adapter.marked?.(second), 5, 'it is not the same object');
    },
  },
  {
    key: 'exclusive',
    ids: 'MQ-003 SVMSG-003 SEM-003 SVSEM-002 SHM-004 SVSHM-002',
    promise: 'open({ create: true, exclusive: true }) of a name that exists is EEXIST',
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      const options = { create: true, exclusive: true };
      scope.use(adapter.open(name, options));
      throws(() => scope.use(adapter.open(name, options)), 'EEXIST');
      scope.use(adapter.open(name));
    },
  },
  {
    key: 'race',
    ids: 'MQ-004 SHM-004',
    promise: `open({ exclusive: true }) of ${RACERS} processes at once: just one creates it`,
    async run(adapter, scope) {
      const name = freshName(adapter, scope);
      const racers = Array.from({ length: RACERS }, () =>
        RoleProcess.start(adapter, scope, 'race', name),
      );
      for (const racer of racers) await racer.says('ready');
      for (const racer of racers) racer.tell('go');
      const results: unknown[] = [];
      for (const racer of racers) results.push(await racer.line());
      const losers = Array.from({ length: RACERS - 1 }, () => 'EEXIST');
      assert.deepEqual(results.toSorted(), [...losers, 'created'].toSorted());
      for (const racer of racers) racer.tell('go home');
      for (const racer of racers) await racer.endsWith(0);
    },
  },
  {
    key: 'default-mode',
    ids: '',
    promise: 'open({ create: true }) makes it for its owner alone, 0o600',
    needs: ['modes'],
    run(adapter, scope) {
      const name = freshName(adapter, scope);
      scope.use(adapter.open(name, { create: true }));
      assert.equal(adapter.mode?.(name), 0o600);
    },
  },
  {
    key: 'exact-mode',
    ids: 'MQ-017 SEM-010 SHM-008',
    promise: 'open({ create: true, mode }) has exactly that mode, whatever the umask',
    needs: ['modes'],
    run(adapter, scope) {
      const umask = process.umask(0o077);
      scope.defer(() => process.umask(umask));
      for (const mode of [0o666, 0o640, 0o600]) {
        const name = freshName(adapter, scope);
        scope.use(adapter.open(name, { create: true, mode }));
        assert.equal(adapter.mode?.(name), mode);
        scope.use(adapter.open(name, { create: true, mode: 0o644 }));
        assert.equal(adapter.mode?.(name), mode, 'opening it again changed its mode');
      }
    },
  },
  {
    key: 'long-name',
    ids: 'MQ-013 SEM-006 SHM-010',
    promise: 'open() takes the longest name; one byte more is ENAMETOOLONG',
    needs: ['posixNames'],
    run(adapter, scope) {
      const { maxNameLength = 255 } = adapter;
      const base = freshName(adapter, scope);
      const longest = base.padEnd(maxNameLength, 'x');
      scope.defer(() => remove(adapter, longest));
      scope.use(adapter.open(longest, { create: true }));
      assert.ok(adapter.list().includes(longest));
      throws(() => adapter.open(`${longest}x`, { create: true }), 'ENAMETOOLONG');
      // Bytes count, not characters.
      const umlauts = `${base}${'ü'.repeat(maxNameLength / 2)}`;
      throws(() => adapter.open(umlauts, { create: true }), 'ENAMETOOLONG');
    },
  },
  {
    key: 'bad-name',
    ids: 'MQ-014 MQ-015 SEM-007 SHM-010 BIND-005',
    promise:
      'open() and unlink() refuse names without a slash, with two, with a NUL, `/`, `/.` and `/..`',
    needs: ['posixNames'],
    async run(adapter) {
      const wrong = ['', 'x', '/', '/a/b', '//a', '/.', '/..', '/a\0b', 5, null, {}, undefined];
      for (const name of wrong as string[]) {
        const calls = {
          open: () => adapter.open(name, { create: true }).close(),
          unlink: () => adapter.unlink(name),
        };
        for (const [what, call] of Object.entries(calls)) {
          const error = await failureOf(call, `${what}(${JSON.stringify(name)})`);
          assert.ok(
            error instanceof TypeError,
            `${what}(${JSON.stringify(name)}): ${String(error)}`,
          );
          const code = typeof name === 'string' ? 'ERR_INVALID_ARG_VALUE' : 'ERR_INVALID_ARG_TYPE';
          assert.equal((error as { code?: unknown }).code, code);
        }
      }
    },
  },
  {
    key: 'unlink-absent',
    ids: 'MQ-050 SEM-027 SHM-012',
    promise: 'unlink() of a name that does not exist is ENOENT',
    run(adapter) {
      const error = thrownBy(() => adapter.unlink(adapter.freshName()));
      assert.equal((error as { code?: unknown }).code, 'ENOENT');
    },
  },
];
