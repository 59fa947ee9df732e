// npm run faults -- [SCENE…] [--quick] [--json FILE]: lets the first to fifth call of every system call that
// a mechanism makes fail with each error that could come, and looks at what came of it: success, or an error
// with a code; no descriptor left, no rejection unhandled, no crash, no hang, and the next life works.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from './ready.mjs';
import { SKIPPED } from './run.mjs';

const ERRORS = ['EINTR', 'EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ENOSPC', 'EPERM', 'ENOSYS'];

/** Of V8, libuv and libc: where these fail the runtime dies, whatever we do; and those that cannot fail. */
const RUNTIME =
  /^(mmap|munmap|mprotect|madvise|brk|mremap|futex|epoll_wait|epoll_pwait|rt_sigreturn|exit|exit_group|sched_yield|clone3?|restart_syscall|gettid|getpid|clock_nanosleep|nanosleep|rseq|set_robust_list|rt_sigprocmask|vfork|gete?[ug]id)$/;

/** libuv and V8 use these, too, and take no other errors than these for them. */
const SHARED = new Map([
  ['read', new Set(['EINTR', 'EAGAIN'])],
  ['write', new Set(['EINTR', 'EAGAIN'])],
  ['epoll_ctl', new Set(['ENOSPC', 'ENOMEM'])],
  // Only Node's fs makes it, whose readFileSync keeps its descriptor when it fails (Node 20).
  ['statx', new Set()],
  // What close(2) answers changes nothing: the descriptor is gone. strace keeps it from being closed.
  ['close', new Set()],
]);

const GO = 1;
const READY = 2;
const PATIENCE = 20_000;

/** A process that plays one scene, as often as it is told. */
class Victim {
  static async start(scene, folder) {
    const { SharedMemory } = await import('@octoipc/shm');
    const file = join(folder, 'words');
    writeFileSync(file, Buffer.alloc(65_536));
    const victim = new Victim();
    victim.made = 0;
    victim.memory = SharedMemory.file(file);
    victim.words = victim.memory.view(Int32Array, 0, 2);
    victim.child = spawn(
      process.execPath,
      ['--expose-gc', join(import.meta.dirname, 'faults', 'child.mjs'), scene, file],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    victim.stderr = '';
    victim.child.stderr.on('data', (data) => (victim.stderr += data));
    await victim.report();
    return victim;
  }

  /** What it says next; undefined where it has died or says nothing. */
  async report() {
    const deadline = performance.now() + PATIENCE;
    while (Atomics.load(this.words, 0) !== READY) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return undefined;
      if (performance.now() > deadline) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const text = Buffer.from(this.memory.bytes.subarray(8, 8 + this.words[1])).toString();
    return JSON.parse(text);
  }

  async go() {
    Atomics.store(this.words, 0, GO);
    return this.report();
  }

  async kill() {
    this.memory.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** Plays the scene under strace. */
async function played(victim, args, log) {
  const tracer = spawn('strace', ['-o', log, ...args, '-p', String(victim.child.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  await new Promise((resolve) => {
    tracer.stderr.on('data', (data) => {
      said += data;
      if (said.includes('attached')) resolve();
    });
    tracer.on('close', resolve);
  });
  const first = await victim.go();
  tracer.kill('SIGINT');
  if (tracer.exitCode === null && tracer.signalCode === null) await once(tracer, 'exit');
  const report = first === undefined ? undefined : await victim.go();
  return { report, trace: readFileSync(log, 'utf8') };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
if (spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0) {
  console.log('no system call can be made to fail: strace is not installed, or may not trace here');
  process.exit(SKIPPED);
}
await readyOrExit();
const { SCENES } = await import('./faults/scenes.mjs');
const unknown = positionals.filter((name) => !(name in SCENES));
if (unknown.length > 0) {
  console.error(
    `no such scene: ${unknown.join(', ')}; there are ${Object.keys(SCENES).join(', ')}`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
const log = join(folder, 'log');
const results = [];
for (const scene of positionals.length > 0 ? positionals : Object.keys(SCENES)) {
  let victim = await Victim.start(scene, folder);
  const { trace, report } = await played(victim, ['-e', 'trace=all'], log);
  if (report?.value !== 'done') throw new Error(`${scene}: ${JSON.stringify(report)}`);
  const counts = new Map();
  for (const [, call] of trace.matchAll(/^(\w+)\(/gm)) {
    if (!RUNTIME.test(call)) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  let injected = 0;
  const findings = [];
  for (const [call, count] of counts) {
    for (const error of ERRORS) {
      if (SHARED.has(call) && !SHARED.get(call).has(error)) continue;
      for (let when = 1; when <= Math.min(values.quick ? 1 : 5, count); when++) {
        const fault = `${call}:error=${error}:when=${when}`;
        const args = ['-e', `trace=${call}`, '-e', `inject=${fault}`];
        const outcome = await played(victim, args, log);
        if (!outcome.trace.includes('(INJECTED)')) continue;
        injected += 1;
        if (outcome.report?.left > victim.made) {
          // What is made once for all, because of the fault, is not made again.
          victim.made = outcome.report.left;
          outcome.report = (await played(victim, args, log)).report;
        }
        const finding = findingOf(outcome.report, victim);
        if (finding !== undefined) {
          findings.push({ fault, finding });
          console.log(`${scene}: ${fault}: ${finding}`);
          await victim.kill();
          victim = await Victim.start(scene, folder);
        }
      }
    }
  }
  await victim.kill();
  results.push({ scene, calls: counts.size, injected, findings });
  console.log(
    `${scene.padEnd(14)} ${String(counts.size).padStart(3)} calls, ${String(injected).padStart(4)} faults, ${findings.length} findings`,
  );
}
rmSync(folder, { recursive: true });
await sweep();
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;

/** Removes what could not be removed when the call for that failed. */
async function sweep() {
  const { reap } = await import('@octoipc/core');
  for (const name of ['mq', 'sem', 'shm', 'fifo']) await import(`@octoipc/${name}`);
  reap();
  for (const where of ['/dev/shm', tmpdir()]) {
    for (const name of readdirSync(where)) {
      if (name.includes('octoipc-faults-')) rmSync(join(where, name), { recursive: true });
    }
  }
}

/** What is wrong with an outcome; undefined where nothing is. */
function findingOf(report, victim) {
  if (report === undefined) {
    const { exitCode, signalCode } = victim.child;
    if (exitCode === null && signalCode === null) return 'it hangs';
    return `it died (${signalCode ?? exitCode}) ${victim.stderr.slice(-300)}`;
  }
  const { value, code, kind, message, left, stray } = report;
  if (stray !== undefined) return `nobody handles ${stray}`;
  if (left > victim.made) return `${left} descriptors are left (${code ?? value})`;
  if (value === undefined && code === undefined) return `no code: ${kind}: ${message}`;
  return undefined;
}
