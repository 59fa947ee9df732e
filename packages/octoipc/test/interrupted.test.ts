import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { shm } from 'octoipc';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { KERNEL, until } from '../../core/test/proc.js';
import { CALLS, WORDS } from './fixtures/blocking.mjs';

const blocking = new URL('fixtures/blocking.mjs', import.meta.url);
/** epoll_wait and epoll_pwait: libuv's own wait. */
const LOOP = new Set(KERNEL === 'arm64' ? [22] : [232, 281]);

const read = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'latin1');

/** Whether a process's first thread sleeps in a call of its own. */
function sleeps(pid: number): boolean {
  const call = Number.parseInt(read(pid, 'syscall'), 10);
  return / S /.test(read(pid, 'stat')) && Number.isInteger(call) && !LOOP.has(call);
}

/** How often it has gone to sleep. */
const naps = (pid: number): number =>
  Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(read(pid, `task/${pid}/status`))![1]);

const hasRing = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === 'anon_inode:[io_uring]';
    } catch {
      return false; // Closed since it was listed.
    }
  });

describe('a call that blocks the thread goes on when a wait for a word ends meanwhile', () => {
  test.each(Object.keys(CALLS))('%s', async (call) => {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-interrupted-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const name = `/octoipc-test-${process.pid}-interrupted`;
    // A peer that is killed removes nothing.
    onTestFinished(() => rmSync(`/dev/shm${name}`, { force: true }));
    const peer = Peer.node(blocking, [call, name, folder]);
    const { first, end } = CALLS[call]!;
    const where = { name, folder, pid: peer.pid };
    // It says that it listens.
    const begun = first === undefined ? undefined : (await peer.line(), await first(where));
    expect(await peer.line()).toBe('blocking');
    const memory = shm.SharedMemory.open(name);
    onTestFinished(() => memory.close());
    for (let word = 0; word < WORDS; word++) {
      await until(() => sleeps(peer.pid));
      const before = naps(peer.pid);
      expect(memory.notify(4 * word)).toBe(1);
      // Where a thread waits for words, this one is left alone.
      if (hasRing(peer.pid)) await until(() => naps(peer.pid) > before);
    }
    await until(() => sleeps(peer.pid));
    await end(where, begun);
    const said = JSON.parse(await peer.line()) as unknown;
    expect(said).toEqual({ result: 'hello', ends: Array.from({ length: WORDS }, () => 'ok') });
    expect((await peer.ended).code).toBe(0);
  });
});
