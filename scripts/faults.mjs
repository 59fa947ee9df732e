// npm run faults -- [SCENE…] [--quick] [--json FILE]: lets the first to fifth call of every system call that
// a mechanism makes fail with each error that could come, on whichever of its threads, and looks at what came of
// it: success, or an error with a code; no descriptor, mapping or child left, no rejection unhandled, no crash, no
// hang, no wait in vain, and the next life works. The short form tries the first call with some of the errors,
// others from one run to the next.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { callsOf, errorsOf, isLie } from './faults/errors.mjs';
import { FOUND } from './faults/found.mjs';
import { readyOrExit } from './ready.mjs';
import { SKIPPED } from './run.mjs';
import { Tracer } from './tracer/tracer.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
/** Of each call, from the first. */
const CALLS = values.quick ? 1 : 5;
/** One of so many errors is tried in the short form. */
const SHARE = values.quick ? 4 : 1;

const tracer = new Tracer();
if (tracer.missing !== undefined || !(await tracer.works())) {
  console.log(`no system call can be made to fail: ${tracer.missing}`);
  tracer.remove();
  process.exit(SKIPPED);
}
await readyOrExit();
const { SCENES } = await import('./faults/scenes.mjs');
const { Victim } = await import('./faults/victim.mjs');
const unknown = positionals.filter((name) => !(name in SCENES));
if (unknown.length > 0) {
  console.error(
    `no such scene: ${unknown.join(', ')}; there are ${Object.keys(SCENES).join(', ')}`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
const results = [];
const scenes = positionals.length > 0 ? positionals : Object.keys(SCENES);
const waiting = scenes.values();
await Promise.all(Array.from({ length: availableParallelism() }, () => tryAll(waiting)));
rmSync(folder, { recursive: true });
tracer.remove();
await sweep();
process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;

/** Scenes, one after the other, that nobody else has begun. */
async function tryAll(some) {
  for (const scene of some) {
    const begin = performance.now();
    const result = await tried(scene);
    results.push({ ...result, seconds: (performance.now() - begin) / 1000 });
    // After each: a run of hours may be ended before its time.
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
    const { calls, injected, findings } = result;
    console.log(
      `${scene.padEnd(20)} ${String(calls).padStart(3)} calls, ${String(injected).padStart(4)} faults, ${findings.length} findings`,
    );
  }
}

/** A scene with each of its faults. */
async function tried(scene) {
  let victim = await Victim.start(scene, folder);
  const { calls, report } = await victim.play(tracer);
  if (report?.value !== 'done') throw new Error(`${scene}: ${JSON.stringify(report)}`);
  const counts = new Map();
  for (const { call } of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
  const faults = [...counts].flatMap(([call, count]) =>
    errorsOf(call, scene).flatMap((error) =>
      Array.from({ length: Math.min(callsOf(call, CALLS), count) }, (_, n) => ({
        call,
        error,
        when: n + 1,
      })),
    ),
  );
  const offset = Math.trunc(Math.random() * SHARE);
  let injected = 0;
  const findings = [];
  const chosen = faults.filter((_, n) => n % SHARE === offset);
  const found = FOUND.filter((fault) => fault.scene === scene);
  for (const fault of [...found, ...chosen]) {
    let outcome = await victim.play(tracer, fault);
    if (outcome.calls.length === 0) continue;
    injected += 1;
    const left = leftOf(outcome.report);
    if (left > victim.made) {
      // What is made once for all, because of the fault, is not made again.
      victim.made = left;
      outcome = await victim.play(tracer, fault);
    }
    const finding = findingOf(outcome.report, victim, fault);
    if (finding === undefined) continue;
    const what = `${fault.call}:error=${fault.error}:when=${fault.when}`;
    findings.push({ fault: what, finding });
    console.log(`${scene}: ${what}: ${finding}`);
    await victim.kill();
    victim = await Victim.start(scene, folder);
  }
  await victim.kill();
  return { scene, calls: counts.size, injected, findings };
}

/** Removes what could not be removed when the call for that failed, of these victims. */
async function sweep() {
  const { reap } = await import('@octoipc/core');
  for (const name of ['mq', 'sem', 'shm', 'fifo']) await import(`@octoipc/${name}`);
  reap();
  for (const name of readdirSync('/dev/shm')) {
    const pid = Number(/octoipc-faults-(\d+)-/.exec(name)?.[1]);
    if (Victim.pids.has(pid)) rmSync(join('/dev/shm', name), { force: true });
  }
}

/** How much is left of whatever must not be. */
function leftOf(report) {
  return (report?.left ?? []).reduce((sum, [, count]) => sum + count, 0);
}

/** What is wrong with an outcome; undefined where nothing is. */
function findingOf(report, victim, fault) {
  if (report === undefined) {
    if (victim.death === undefined) return 'it hangs';
    return `it died (${victim.death}) ${victim.stderr.slice(-300)}`;
  }
  const { value, code, kind, message, stray } = report;
  if (stray !== undefined) return `nobody handles ${stray}`;
  if (leftOf(report) > victim.made) {
    return `left: ${report.left.map(([what, count]) => `${count} ${what}`).join(', ')} (${code ?? value})`;
  }
  if (value === undefined && code === undefined) return `no code: ${kind}: ${message}`;
  if (code === 'ETIMEDOUT' && !isLie(fault)) return `it waits in vain: ${message}`;
  return undefined;
}
