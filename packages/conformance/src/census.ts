import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds for a closed descriptor or an ended thread to go, before it counts as leaked. */
const PATIENCE = 1_000;

/** Open descriptors of this process: what each number stands for. */
export function descriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      open.set(Number(name), readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The listing's own descriptor is closed by now.
    }
  }
  return open;
}

/** Threads of this process. */
export function threads(): number {
  return readdirSync('/proc/self/task').length;
}

/** Memory mappings of this process; V8 alone makes some come and go. */
export function mappings(): number {
  return readFileSync('/proc/self/maps', 'latin1').split('\n').length;
}

/** Descriptors that are there now and were not before, or stand for something else. */
export function newDescriptors(before: Map<number, string>): Map<number, string> {
  return new Map([...descriptors()].filter(([fd, target]) => before.get(fd) !== target));
}

/** Lets the event loop turn until something is so, or patience is over. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!isSo() && performance.now() < end) await nextTurn();
}

/** Fails unless the descriptors are back to what they were, soon. */
export async function assertNoNewDescriptors(before: Map<number, string>): Promise<void> {
  await until(() => newDescriptors(before).size === 0);
  const leaked = [...newDescriptors(before)].map(([fd, target]) => `${fd} (${target})`);
  assert.equal(leaked.length, 0, `${leaked.length} descriptors leaked: ${leaked.join(', ')}`);
}

/** Fails unless there are no more threads than there were, soon. */
export async function assertNoNewThreads(before: number): Promise<void> {
  await until(() => threads() <= before);
  assert.ok(threads() <= before, `${threads() - before} threads leaked`);
}

/** Memory that is this process's alone, in bytes. */
export function privateMemory(): number {
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  return 1024 * Number(/^Private_Dirty:\s*(\d+)/m.exec(rollup)?.[1]);
}

/** Collects all garbage, and lets finalizers run. */
export async function collectGarbage(times = 4): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < times; i++) {
    globalThis.gc();
    await nextTurn();
  }
}
