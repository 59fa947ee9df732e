// npm run faults -- [SCENE…] [--quick] [--seed N] [--point 'SCENE: CALL:error=ERROR:when=N']… [--json FILE]: lets the first
// to fifth call of every system call that a mechanism makes fail with each error that could come, on whichever of its
// threads, and looks at what came of it: success, or an error with a code; no descriptor, mapping or child left, no
// rejection unhandled, no crash, no hang, no wait in vain, and the next life works. The short form tries the first call
// with some of the errors, which a seed decides: the same seed tries the same again. --point: only these, as findings
// name them.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { callsOf, errorsOf, isLie } from './faults/errors.mjs';
import { FOUND } from './faults/found.mjs';
import { isDrawn } from './reliability/draw.mjs';
import { readyOrExit } from './ready.mjs';
import { SKIPPED } from './run.mjs';
import { Tracer } from './tracer/tracer.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    point: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
/** Of each call, from the first. */
const CALLS = values.quick ? 1 : 5;
/** One of so many errors is tried in the short form. */
const SHARE = values.quick ? 4 : 1;
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const points = values.point.map((point) => {
  const [, scene, call, error, when] = /^(.+): (\w+):error=(\w+):when=(\d+)$/.exec(point) ?? [];
  if (scene === undefined) {
    console.error(`no point: ${point}; one is 'SCENE: CALL:error=ERROR:when=N'`);
    process.exit(2);
  }
  return { scene, call, error, when: Number(when) };
});

const tracer = new Tracer();
if (tracer.missing !== undefined || !(await tracer.works())) {
  console.log(`no system call can be made to fail: ${tracer.missing}`);
  tracer.remove();
  process.exit(SKIPPED);
}
await readyOrExit();
const { SCENES } = await import('./faults/scenes.mjs');
const { Victim } = await import('./faults/victim.mjs');
const named = points.length > 0 ? [...new Set(points.map(({ scene }) => scene))] : positionals;
const unknown = named.filter((name) => !(name in SCENES));
if (unknown.length > 0) {
  console.error(
    `no such scene: ${unknown.join(', ')}; there are ${Object.keys(SCENES).join(', ')}`,
  );
  process.exit(2);
}
if (values.quick && points.length === 0) console.log(`seed ${seed}`);

const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
const results = [];
const scenes = named.length > 0 ? named : Object.keys(SCENES);
const waiting = scenes.values();
await Promise.all(Array.from({ length: availableParallelism() }, () => tryAll(waiting)));
rmSync(folder, { recursive: true });
tracer.remove();
await sweep();
const failing = results.flatMap(({ scene, findings }) =>
  findings.filter(({ fault }) => fault !== undefined).map(({ fault }) => `${scene}: ${fault}`),
);
if (failing.length > 0) {
  const again = failing.map((point) => `--point '${point}'`).join(' ');
  console.log(`these again: npm run faults -- ${again}`);
}
process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;

/** Scenes, one after the other, that nobody else has begun. */
async function tryAll(some) {
  for (const scene of some) {
    const begin = performance.now();
    const result = await triedOrBroken(scene);
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

/** A scene that cannot be played is a finding, and no reason to leave the others out. */
async function triedOrBroken(scene) {
  try {
    return await tried(scene);
  } catch (error) {
    console.log(`${scene}: ${error.stack}`);
    const finding = `it cannot be played: ${error.message.slice(0, 300)}`;
    return { scene, calls: 0, injected: 0, findings: [{ finding }] };
  }
}

/** The faults of a scene that are tried: those that were asked for, or have found something, or are drawn. */
function faultsOf(scene, counts) {
  if (points.length > 0) return points.filter((point) => point.scene === scene);
  const faults = [...counts].flatMap(([call, count]) =>
    errorsOf(call, scene).flatMap((error) =>
      Array.from({ length: Math.min(callsOf(call, CALLS), count) }, (_, n) => ({
        call,
        error,
        when: n + 1,
      })),
    ),
  );
  return [
    ...FOUND.filter((fault) => fault.scene === scene),
    ...faults.filter(({ call, error }) => isDrawn(`${scene}: ${call} ${error}`, SHARE, seed)),
  ];
}

/** A scene with each of its faults. */
async function tried(scene) {
  let victim = await Victim.start(scene, folder);
  const { calls, report } = await victim.play(tracer);
  if (report?.value !== 'done') throw new Error(`${scene}: ${JSON.stringify(report)}`);
  const counts = new Map();
  for (const { call } of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
  let injected = 0;
  const findings = [];
  for (const fault of faultsOf(scene, counts)) {
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
