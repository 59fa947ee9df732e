// kills.mjs [SCENE…] [--quick] [--random] [--minutes M]: kills whatever leaves state in the kernel or the file system
// before each of its system calls, alone and beside a rival, and then at random moments until the minutes
// are over; --random: only these. After each kill the survivors look: nothing is left that reap does not find, nobody living
// lost anything, and the next one takes over. The last line is what came of it, as JSON.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readyOrExit } from '../ready.mjs';
import { SKIPPED } from '../run.mjs';
import { Tracer } from '../tracer/tracer.mjs';
import { Rows } from './rows.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    random: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    inside: { type: 'string' },
  },
});

/** Of these the runtime makes some for itself, and none changes what others see. */
const RUNTIME =
  /^(mmap|munmap|mprotect|madvise|brk|mremap|epoll_\w+|rt_sig\w+|sched_yield|clone3?|restart_syscall|get\w+|clock_\w+|rseq)$/;

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
  const begin = performance.now();
  const shards = Math.max(2, availableParallelism());
  const results = await Promise.all(
    Array.from({ length: shards }, (_, shard) => shardOf(flags, `${shard}/${shards}`)),
  );
  const rows = new Rows('kills');
  for (const { scene, mechanism, points, random, findings, seconds } of results.flat()) {
    rows.add(mechanism, { killPoints: points + random, hours: seconds / 3600 });
    for (const finding of findings) rows.found(mechanism, `${scene}: ${finding}`);
  }
  console.log(`${((performance.now() - begin) / 60_000).toFixed(1)} minutes`);
  rows.tell();
}

async function shardOf(flags, shard) {
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
  const [code] = await once(child, 'close');
  rmdirSync(queues);
  if (code !== 0) throw new Error(`shard ${shard} ended with ${code}`);
  return JSON.parse(output.trimEnd().split('\n').at(-1));
}

async function inside(given) {
  const [, shard, shards, queues] = /^(\d+)\/(\d+) (.*)$/.exec(given);
  const { Runner } = await import('./kills/run.mjs');
  const { SCENES } = await import('./kills/scenes.mjs');
  const runner = new Runner(queues);
  const scenes = positionals.length > 0 ? positionals : Object.keys(SCENES);
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
    await atEachCall(runner, scene, result);
    result.seconds += (performance.now() - start) / 1000;
    console.log(
      `${scene.padEnd(20)} ${result.calls} calls, killed ${result.points} times, ${result.findings.length} findings`,
    );
  }
  for (let n = 0; !values.quick && own.length > 0 && performance.now() < until; n++) {
    const start = performance.now();
    const scene = own[n % own.length];
    const outcome = await runner.sometime(scene, n % 2 === 1);
    const result = results.get(scene);
    note(result, outcome, 'at a random moment');
    if (outcome.killed) result.random += 1;
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

/** Kills victims of a scene before each system call, alone and beside a rival. */
async function atEachCall(runner, scene, result) {
  const points = (await runner.points(scene)).filter(({ call }) => !RUNTIME.test(call));
  result.calls = points.length;
  // The short form tries each fifth point, others from one run to the next.
  const offset = Math.trunc(Math.random() * 5);
  const chosen = values.quick ? points.filter((_, n) => n % 5 === offset) : points;
  for (const rivalled of values.quick ? [false] : [false, true]) {
    for (const point of chosen) {
      const outcome = await runner.at(scene, point, rivalled);
      const beside = rivalled ? ', with a rival' : '';
      note(result, outcome, `before ${point.call} ${point.when}${beside}`);
      if (outcome.killed) result.points += 1;
    }
  }
}

function note(result, { findings }, when) {
  for (const finding of findings) {
    console.log(`${result.scene}: ${when}: ${finding}`);
    if (result.findings.length < 20) result.findings.push(`${when}: ${finding}`);
  }
}
