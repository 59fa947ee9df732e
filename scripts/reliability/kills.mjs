// kills.mjs [SCENE…] [--quick] [--seed N] [--point 'SCENE: before CALL N[, with a rival]']… [--random] [--minutes M]:
// kills whatever leaves state in the kernel or the file system before each of its system calls, alone and beside a rival,
// and then at random moments until the minutes are over; --random: only these. After each kill the survivors look: nothing
// is left that reap does not find, nobody living lost anything, and the next one takes over. The short form tries some of
// the calls, which a seed decides: the same seed tries the same again. --point: only these, as findings name them. The last
// line is what came of it, as JSON.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from '../ready.mjs';
import { SKIPPED } from '../run.mjs';
import { Tracer } from '../tracer/tracer.mjs';
import { isDrawn } from './draw.mjs';
import { Rows } from './rows.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    random: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    point: { type: 'string', multiple: true, default: [] },
    inside: { type: 'string' },
  },
});

/** Of these the runtime makes some for itself, and none changes what others see. */
const RUNTIME =
  /^(mmap|munmap|mprotect|madvise|brk|mremap|epoll_\w+|rt_sig\w+|sched_yield|clone3?|restart_syscall|get\w+|clock_\w+|rseq)$/;
/** The short form tries one of so many calls. */
const SHARE = values.quick ? 5 : 1;

const points = values.point.map((point) => {
  const [, scene, call, when, rival] =
    /^(.+): before (\w+) (\d+)(, with a rival)?$/.exec(point) ?? [];
  if (scene === undefined) {
    console.error(`no point: ${point}; one is 'SCENE: before CALL N[, with a rival]'`);
    process.exit(2);
  }
  return { scene, call, when: Number(when), rivalled: rival !== undefined };
});

if (values.inside === undefined) await outside();
else await inside(values.inside);

/** Runs the scenes in namespaces of their own, in parallel: each has its /dev/shm, its queues, its System V. */
async function outside() {
  const roots = [
    ['--mount', '--ipc'],
    ['--map-root-user', '--mount', '--ipc'],
  ];
  const flags = roots.find((each) => spawnSync('unshare', [...each, 'true']).status === 0);
  if (flags === undefined) {
    console.log('nothing is killed: this user may not make namespaces of its own to do it in');
    process.exit(SKIPPED);
  }
  const tracer = new Tracer();
  const traces = tracer.missing === undefined && (await tracer.works());
  tracer.remove();
  if (!traces) {
    console.log(`nothing is killed: ${tracer.missing}`);
    process.exit(SKIPPED);
  }
  await readyOrExit();
  if (values.quick && points.length === 0) console.log(`seed ${values.seed}`);
  const begin = performance.now();
  const shards = Math.max(2, availableParallelism());
  const rows = new Rows('kills');
  const results = await Promise.all(
    Array.from({ length: shards }, (_, shard) => shardOf(flags, `${shard}/${shards}`, rows)),
  );
  const failing = [];
  for (const { scene, mechanism, points: killed, random, findings, seconds } of results.flat()) {
    rows.add(mechanism, { killPoints: killed + random, hours: seconds / 3600 });
    for (const finding of findings) {
      rows.found(mechanism, `${scene}: ${finding}`);
      const [point] = /^before \w+ \d+(, with a rival)?(?=: )/.exec(finding) ?? [];
      if (point !== undefined) failing.push(`--point '${scene}: ${point}'`);
    }
  }
  if (failing.length > 0) {
    const again = [...new Set(failing)].join(' ');
    console.log(`these again: node scripts/reliability/kills.mjs --quick ${again}`);
  }
  console.log(`${((performance.now() - begin) / 60_000).toFixed(1)} minutes`);
  rows.tell();
}

async function shardOf(flags, shard, rows) {
  const queues = mkdtempSync(join(tmpdir(), 'octoipc-queues-'));
  const script =
    'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && mount -t mqueue none "$0" && exec "$@"';
  const child = spawn(
    'unshare',
    [
      ...flags,
      'sh',
      '-c',
      script,
      queues,
      process.execPath,
      import.meta.filename,
      ...process.argv.slice(2),
      '--seed',
      values.seed,
      '--inside',
      `${shard} ${queues}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
    process.stdout.write(String(data).replaceAll(/^\[.*\n/gm, ''));
  });
  const [code, signal] = await once(child, 'close');
  rmdirSync(queues);
  const last = output.trimEnd().split('\n').at(-1);
  if (code === 0 && last.startsWith('[')) return JSON.parse(last);
  rows.found('all', `shard ${shard} ended with ${code ?? signal}, and says nothing of its scenes`);
  return [];
}

async function inside(given) {
  const [, shard, shards, queues] = /^(\d+)\/(\d+) (.*)$/.exec(given);
  const { Runner } = await import('./kills/run.mjs');
  const { SCENES } = await import('./kills/scenes.mjs');
  const runner = new Runner(queues);
  const named = points.length > 0 ? [...new Set(points.map(({ scene }) => scene))] : positionals;
  const scenes = named.length > 0 ? named : Object.keys(SCENES);
  const unknown = scenes.filter((scene) => !(scene in SCENES));
  if (unknown.length > 0) {
    const known = Object.keys(SCENES).join('; ');
    throw new Error(`no such scene: ${unknown.join('; ')}; there are ${known}`);
  }
  const own = scenes.filter((_, index) => index % shards === Number(shard));
  const begin = performance.now();
  const until = begin + Number(values.minutes) * 60_000;
  const results = new Map();
  for (const scene of own) {
    const start = performance.now();
    const { mechanism } = SCENES[scene];
    const result = { scene, mechanism, calls: 0, points: 0, random: 0, findings: [], seconds: 0 };
    results.set(scene, result);
    if (values.random) continue;
    await orBroken(result, 'at its calls', () => atEachCall(runner, scene, result));
    result.seconds += (performance.now() - start) / 1000;
    console.log(
      `${scene.padEnd(20)} ${result.calls} calls, killed ${result.points} times, ${result.findings.length} findings`,
    );
  }
  // The short form has no random moments, and who asked for points wants these only.
  let left = values.quick || points.length > 0 ? [] : own;
  for (let n = 0; left.length > 0 && performance.now() < until; n++) {
    const start = performance.now();
    const scene = left[n % left.length];
    const result = results.get(scene);
    const whole = await orBroken(result, 'at a random moment', async () => {
      const outcome = await runner.sometime(scene, n % 2 === 1);
      note(result, outcome, 'at a random moment');
      if (outcome.killed) result.random += 1;
    });
    if (!whole) left = left.filter((one) => one !== scene);
    result.seconds += (performance.now() - start) / 1000;
  }
  runner.end();
  if (values.random) {
    for (const { scene, random, findings } of results.values()) {
      console.log(`${scene.padEnd(20)} killed ${random} times, ${findings.length} findings`);
    }
  }
  console.log(JSON.stringify([...results.values()]));
}

/** Whether a scene could be played; where not, that is a finding, and no reason to leave the others out. */
async function orBroken(result, when, play) {
  try {
    await play();
    return true;
  } catch (error) {
    note(result, { findings: [`it cannot be played: ${error.stack.slice(0, 400)}`] }, when);
    return false;
  }
}

/** Kills victims of a scene before each system call, alone and beside a rival, or where it was asked for. */
async function atEachCall(runner, scene, result) {
  const found = (await runner.points(scene)).filter(({ call }) => !RUNTIME.test(call));
  result.calls = found.length;
  const drawn = found.filter(({ call, when }) =>
    isDrawn(`${scene}: ${call} ${when}`, SHARE, Number(values.seed)),
  );
  const turns = values.quick ? [false] : [false, true];
  const chosen =
    points.length > 0
      ? points.filter((point) => point.scene === scene)
      : turns.flatMap((rivalled) => drawn.map((point) => ({ ...point, rivalled })));
  for (const { call, when, rivalled } of chosen) {
    const outcome = await runner.at(scene, { call, when }, rivalled);
    const beside = rivalled ? ', with a rival' : '';
    note(result, outcome, `before ${call} ${when}${beside}`);
    if (outcome.killed) result.points += 1;
  }
}

function note(result, { findings }, when) {
  for (const finding of findings) {
    console.log(`${result.scene}: ${when}: ${finding}`);
    if (result.findings.length < 20) result.findings.push(`${when}: ${finding}`);
  }
}
