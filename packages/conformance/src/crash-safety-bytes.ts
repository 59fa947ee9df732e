import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';

import type { ByteReader, ByteWriter } from '@octoipc/core';

import { drain, PLENTY, required } from './byte-stream-ends.js';
import type { Case } from './case.js';
import { assertNoNewDescriptors, assertNoNewThreads, descriptors, threads } from './census.js';
import type { CrashSafetyAdapter } from './crash-safety.js';
import { assertIpcError, rejects, start, stillPending, throws } from './outcome.js';
import { assertSameBytes, payload } from './payload.js';
import { roleArguments, RoleProcess } from './role-process.js';
import type { Scope } from './scope.js';

const KILLED = { code: null, signal: 'SIGKILL' } as const;

type Peer<End> = { role: RoleProcess } & End;

async function startWriter(
  adapter: CrashSafetyAdapter,
  scope: Scope,
  role: string,
  ...args: readonly unknown[]
): Promise<Peer<{ reader: ByteReader }>> {
  const startPeer = required(adapter.startWriter, 'startWriter');
  const { child, reader } = await startPeer(roleArguments(adapter.script, role, args));
  return { role: new RoleProcess(child, scope), reader: scope.use(reader) };
}

async function startReader(
  adapter: CrashSafetyAdapter,
  scope: Scope,
  role: string,
  ...args: readonly unknown[]
): Promise<Peer<{ writer: ByteWriter }>> {
  const startPeer = required(adapter.startReader, 'startReader');
  const { child, writer } = await startPeer(roleArguments(adapter.script, role, args));
  return { role: new RoleProcess(child, scope), writer: scope.use(writer) };
}

/** What is seen at one end of a byte stream when the other is killed. */
export const byteCrashes: readonly Case<CrashSafetyAdapter>[] = [
  {
    key: 'writer-killed',
    ids: 'PIPE-007 FIFO-014',
    promise: 'read() gives everything that was written, then null, when the writer was killed',
    needs: ['bytes', 'end'],
    async run(adapter, scope) {
      const { role, reader } = await startWriter(adapter, scope, 'write', 3_000);
      await role.says('written');
      assert.deepEqual(await role.kill(), KILLED);
      assertSameBytes(await drain(reader), payload(3_000));
      assert.equal(await reader.read(), null);
    },
  },
  {
    key: 'writer-killed-while-writing',
    ids: 'PIPE-041',
    promise:
      'read() gives what the stream had taken, then null, when the writer was killed in a write',
    needs: ['bytes', 'end', 'bounded'],
    async run(adapter, scope) {
      const { role, reader } = await startWriter(adapter, scope, 'flood', 2 * PLENTY);
      const written = Number(await role.line());
      assert.ok(written > 0, role.complaints);
      assert.deepEqual(await role.kill(), KILLED);
      const data = await drain(reader);
      assert.ok(data.length >= written, `${written} were written, ${data.length} came`);
      assertSameBytes(data, payload(2 * PLENTY).subarray(0, data.length));
    },
  },
  {
    key: 'pending-read',
    ids: 'PIPE-014',
    promise: 'read() that waits gives null when the writer is killed',
    needs: ['bytes', 'end'],
    async run(adapter, scope) {
      const { role, reader } = await startWriter(adapter, scope, 'write', 0);
      await role.says('written');
      const read = start(() => reader.read());
      await stillPending(read);
      assert.deepEqual(await role.kill(), KILLED);
      assert.equal(await read.given(), null);
    },
  },
  {
    key: 'reader-killed',
    ids: 'PIPE-012',
    promise:
      'write() rejects with EPIPE when the reader was killed, also with unread bytes in between',
    needs: ['bytes', 'brokenPipe'],
    async run(adapter, scope) {
      const { role, writer } = await startReader(adapter, scope, 'read', 10);
      await writer.write(payload(1_000));
      await role.says('read');
      assert.deepEqual(await role.kill(), KILLED);
      await rejects(() => writer.write('x'), 'EPIPE');
      throws(() => writer.tryWrite('x'), 'EPIPE');
    },
  },
  {
    key: 'pending-write',
    ids: 'PIPE-013',
    promise: 'write() that waits for room rejects with EPIPE when the reader is killed',
    needs: ['bytes', 'brokenPipe', 'bounded'],
    async run(adapter, scope) {
      const { role, writer } = await startReader(adapter, scope, 'read', 10);
      const write = start(() => writer.write(payload(2 * PLENTY)));
      await role.says('read');
      await stillPending(write);
      assert.deepEqual(await role.kill(), KILLED);
      assertIpcError(await write.rejection(), 'EPIPE');
    },
  },
  {
    key: 'stopped-and-continued',
    ids: 'BIND-003',
    promise: 'read() that waits survives SIGSTOP and SIGCONT without an error or a lost byte',
    needs: ['bytes', 'end'],
    async run(adapter, scope) {
      const { role, writer } = await startReader(adapter, scope, 'consume');
      await role.says('reading');
      for (let i = 0; i < 3; i++) {
        await role.stop();
        role.child.kill('SIGCONT');
      }
      const data = payload(2 * PLENTY);
      await writer.write(data);
      writer.close();
      const hash = createHash('sha256').update(data).digest('hex');
      assert.deepEqual(await role.report(), { total: data.length, hash });
      await role.endsWith(0);
    },
  },
  {
    key: 'nothing-left-behind',
    ids: 'BIND-018',
    promise: 'peers that were killed leave no descriptor, thread, process or name behind',
    needs: ['bytes'],
    async run(adapter, scope) {
      const round = async (): Promise<number> => {
        const { role, reader } = await startWriter(adapter, scope, 'write', 10);
        await role.says('written');
        assert.deepEqual(await role.kill(), KILLED);
        reader.close();
        return role.child.pid ?? 0;
      };
      await round();
      const before = { descriptors: descriptors(), threads: threads() };
      const namesBefore = adapter.leftovers?.() ?? [];
      for (let i = 0; i < 3; i++) {
        const pid = await round();
        assert.ok(!existsSync(`/proc/${pid}`), 'a zombie is left');
      }
      await assertNoNewDescriptors(before.descriptors);
      await assertNoNewThreads(before.threads);
      assert.deepEqual(adapter.leftovers?.() ?? [], namesBefore);
    },
  },
];
