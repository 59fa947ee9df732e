import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

import type { Closable } from '@octoipc/core';

import type { ScriptedAdapter } from './adapter.js';
import type { Case, Suite } from './case.js';
import {
  assertNoNewDescriptors,
  assertNoNewThreads,
  collectGarbage,
  descriptors,
  mappings,
  newDescriptors,
  threads,
} from './census.js';
import { failureOf } from './outcome.js';
import { exhaustion } from './resources-exhausted.js';

/** What a mechanism may lack of resources. */
export type ResourcesTrait =
  /** Its handles own descriptors. */
  | 'descriptors'
  /** A handle that is collected unclosed is closed, with one `IpcLeakWarning`. */
  | 'leakWarning'
  /** Calls that fail (`failures`). */
  | 'failures';

/** Handles that were opened together, and a use of them. */
export interface Opened {
  readonly handles: readonly Closable[];
  /** Has them do what they do, so that whatever is made lazily is made. */
  use(): Promise<void> | void;
}

/** How to make and use handles of a mechanism; its script has the actor `waitable`. */
export interface ResourcesAdapter extends ScriptedAdapter<ResourcesTrait> {
  open(): Opened | Promise<Opened>;
  /** Calls that must fail and leave nothing, by what they do wrong. */
  readonly failures?: Readonly<Record<string, () => unknown>>;
  /** How many handles are dropped unclosed, where another one of the package shows the same. @default 100000 */
  readonly dropped?: number;
}

const ROUNDS = 200;
const WARM_UP = 20;

async function round(adapter: ResourcesAdapter): Promise<void> {
  const { handles, use } = await adapter.open();
  try {
    await use();
  } finally {
    for (const handle of handles) handle.close();
  }
}

/** O_CLOEXEC of a descriptor's flags, which /proc writes in octal. */
function isCloseOnExec(fd: number): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & 0o2000000) !== 0;
}

/** What the descriptors of a child stand for that inherits whatever is not close-on-exec. */
function descriptorsOfChild(): Set<string> {
  const { stdout } = spawnSync('/bin/sh', ['-c', 'readlink /proc/$$/fd/*']);
  return new Set(stdout.toString().split('\n'));
}

const cases: readonly Case<ResourcesAdapter>[] = [
  {
    key: 'cycles',
    ids: '',
    promise: `${ROUNDS} times open, use and close leave no descriptor, no thread and no mapping`,
    async run(adapter) {
      for (let i = 0; i < WARM_UP; i++) await round(adapter);
      await collectGarbage();
      const before = { descriptors: descriptors(), threads: threads(), mappings: mappings() };
      for (let i = 0; i < ROUNDS; i++) await round(adapter);
      await collectGarbage();
      await assertNoNewDescriptors(before.descriptors);
      await assertNoNewThreads(before.threads);
      // V8's own mappings come and go; one for each round would stand out.
      const grown = mappings() - before.mappings;
      assert.ok(grown < ROUNDS / 2, `${grown} mappings more after ${ROUNDS} rounds`);
    },
  },
  {
    key: 'close-pending',
    ids: '',
    promise: 'close() during use leaves no descriptor and no thread',
    async run(adapter) {
      for (let i = 0; i < 3; i++) await round(adapter);
      const before = { descriptors: descriptors(), threads: threads() };
      for (let i = 0; i < WARM_UP; i++) {
        const { handles, use } = await adapter.open();
        const using = Promise.resolve(use()).catch(() => {});
        for (const handle of handles) handle.close();
        await using;
      }
      await assertNoNewDescriptors(before.descriptors);
      await assertNoNewThreads(before.threads);
    },
  },
  {
    key: 'failures',
    ids: 'BIND-010',
    promise: 'calls that fail leave no descriptor and no thread',
    needs: ['failures'],
    async run(adapter) {
      const failures = Object.entries(adapter.failures ?? {});
      assert.ok(failures.length > 0, 'the adapter names no failures, nor does lacks say so');
      await round(adapter);
      for (const [what, fail] of failures) {
        await failureOf(fail, what);
        const before = { descriptors: descriptors(), threads: threads() };
        for (let i = 0; i < WARM_UP; i++) await failureOf(fail, what);
        await assertNoNewDescriptors(before.descriptors);
        await assertNoNewThreads(before.threads);
      }
    },
  },
  {
    key: 'closed-once',
    ids: 'PIPE-038',
    promise: 'close() again never closes a descriptor that got the same number since',
    needs: ['descriptors'],
    async run(adapter, scope) {
      const before = descriptors();
      const { handles, use } = await adapter.open();
      scope.defer(() => handles.forEach((handle) => handle.close()));
      await use();
      const numbers = newDescriptors(before);
      assert.ok(numbers.size > 0, 'the handles own no descriptor, nor does lacks say so');
      for (const handle of handles) handle.close();
      const reused = Array.from({ length: 3 * numbers.size + 3 }, () => openSync('/dev/null', 'r'));
      scope.defer(() => reused.forEach((fd) => closeSync(fd)));
      assert.ok(
        reused.some((fd) => numbers.has(fd)),
        'no number came again',
      );
      for (const handle of handles) {
        handle.close();
        handle[Symbol.dispose]();
      }
      for (const fd of reused) fstatSync(fd);
    },
  },
  {
    key: 'close-on-exec',
    ids: 'PIPE-003 FIFO-024 MQ-018 SHM-002 MEMFD-004',
    promise: 'open() gives descriptors that are close-on-exec, and no child has them',
    needs: ['descriptors'],
    async run(adapter, scope) {
      const inheritedBefore = descriptorsOfChild();
      const before = descriptors();
      const { handles, use } = await adapter.open();
      scope.defer(() => handles.forEach((handle) => handle.close()));
      await use();
      const opened = newDescriptors(before);
      assert.ok(opened.size > 0, 'the handles own no descriptor, nor does lacks say so');
      for (const [fd, target] of opened) {
        assert.ok(isCloseOnExec(fd), `${fd} (${target}) is not close-on-exec`);
      }
      const inherited = descriptorsOfChild();
      const leaked = [...opened.values()].filter(
        (target) => inherited.has(target) && !inheritedBefore.has(target),
      );
      assert.deepEqual(leaked, [], 'a child inherited descriptors');
    },
  },
  ...exhaustion,
];

/** All cases of resources. */
export const resourcesSuite: Suite<ResourcesAdapter> = { trait: 'resources', cases };
