import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

import type { Case } from './case.js';
import type { ResourcesAdapter } from './resources.js';
import { roleArguments, RoleProcess } from './role-process.js';

/** Enough for Node itself, and soon used up. */
const FEW_DESCRIPTORS = 64;

const CHURN = 100_000;
const QUICK_CHURN = 10_000;
/** What V8 may need for itself meanwhile: far less than one for each handle. */
const MAPPINGS = 500;
const MEMORY = 10 * 1024 * 1024;

/** What becomes of handles that nobody closes, and of opening when nothing is left. */
export const exhaustion: readonly Case<ResourcesAdapter>[] = [
  {
    key: 'dropped',
    ids: 'PIPE-046',
    promise: 'a handle that is collected unclosed is closed, with one IpcLeakWarning for all',
    needs: ['descriptors', 'leakWarning'],
    async run(adapter, scope) {
      const role = RoleProcess.start(adapter, scope, 'drop');
      const { opened, leaked, warnings } = await role.report<{
        opened: number;
        leaked: number;
        warnings: string[];
      }>();
      assert.ok(opened > 0, 'the handles own no descriptor, nor does lacks say so');
      assert.equal(leaked, 0, `${leaked} of ${opened} descriptors stay open`);
      assert.deepEqual(warnings, ['IpcLeakWarning']);
      await role.endsWith(0);
    },
  },
  {
    key: 'churn',
    ids: 'BIND-010',
    promise:
      'handles that are opened and dropped by the thousand leave descriptors, mappings and memory as they were',
    needs: ['leakWarning'],
    watchdog: 110_000,
    async run(adapter, scope) {
      const count = process.env['OCTOIPC_QUICK'] === undefined ? adapter.dropped : QUICK_CHURN;
      const role = RoleProcess.start(adapter, scope, 'churn', count ?? CHURN);
      const grown = await role.report<{ descriptors: number; mappings: number; memory: number }>();
      assert.equal(grown.descriptors, 0, 'descriptors stay open');
      assert.ok(grown.mappings < MAPPINGS, `${grown.mappings} mappings more`);
      assert.ok(grown.memory < MEMORY, `${grown.memory} bytes more`);
      await role.endsWith(0);
    },
  },
  {
    key: 'exhausted',
    ids: 'PIPE-006 SHM-011',
    promise: 'open() with too few descriptors left is EMFILE, and leaks none of the last ones',
    needs: ['descriptors'],
    async run(adapter, scope) {
      const limited = `ulimit -n ${FEW_DESCRIPTORS} && exec "$0" "$@"`;
      const args = roleArguments(adapter.script, 'exhaust', []);
      const child = spawn('/bin/sh', ['-c', limited, process.execPath, ...args], {
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const role = new RoleProcess(child, scope);
      const results = await role.report<{ free: number; code: string; left: number }[]>();
      for (const { free, code, left } of results) {
        assert.ok(['opened', 'EMFILE'].includes(code), `${free} left: ${code}`);
        assert.equal(left, free, `with ${free} left, ${free - left} leaked (${code})`);
      }
      assert.equal(results.at(0)?.code, 'EMFILE');
      assert.equal(results.at(-1)?.code, 'opened');
      await role.endsWith(0);
    },
  },
];
