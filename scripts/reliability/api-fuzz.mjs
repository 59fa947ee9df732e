#!/usr/bin/env node
// api-fuzz.mjs [--minutes M | --quick] [--seed N] [--calls N] [--packages a,b]: calls everything that the packages
// export, in random order, with good and odd arguments, on live and closed handles, with aborts, in workers that are
// ended in the middle. The process must live and answer, every refusal be a typed error, and nothing be left after a
// batch. A seed that a finding names plays the same calls again.
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

import { SKIPPED } from '../run.mjs';
import { root, scratch } from '../workspace.mjs';
import { surface } from './api/surface.mjs';
import { confined, inside, refusal } from './confine.mjs';
import { Tally, stepOptions } from './step.mjs';

/** One process plays so long: then the next begins anew. */
const TURN = 60;
/** A process that says nothing for so long hangs. */
const SILENCE = 120_000;

const options = stepOptions(25, {
  calls: { type: 'string', default: '400' },
  packages: { type: 'string' },
});
const why = refusal();
if (why !== undefined) {
  console.log(`skipped: ${why}`);
  process.exit(SKIPPED);
}

mkdirSync(scratch, { recursive: true });
const folder = mkdtempSync(join(scratch, 'api-fuzz-'));
// It is read by nobody.
chmodSync(folder, 0o755);
const plan = join(folder, 'surface.json');
const described = surface();
writeFileSync(plan, JSON.stringify(described));
console.log(
  `${described.functions.length} functions, ${Object.keys(described.methods).length} classes, seed ${options.seed}`,
);

let playing;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    playing?.kill('SIGKILL');
    process.exit(1);
  });
}

/** Plays one turn; tells `heard` each line that the player says. */
function turn(seed, seconds, heard) {
  const trace = join(folder, 'trace');
  const fd = openSync(trace, 'w');
  const child = confined(
    [
      '--expose-gc',
      `${inside.tree}/scripts/reliability/api/player.mjs`,
      join(inside.tree, relative(root, plan)),
      String(seconds),
      String(seed),
      options.calls,
      ...(options.packages === undefined ? [] : [options.packages]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe', fd] },
  );
  closeSync(fd);
  playing = child;
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr = `${stderr}${chunk}`.slice(-6000)));
  let silent = false;
  let watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      silent = true;
      child.kill('SIGKILL');
    }, SILENCE);
  };
  alive();
  createInterface({ input: child.stdout }).on('line', (line) => {
    alive();
    if (line.startsWith('{')) heard(JSON.parse(line));
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(watchdog);
      const last = readFileSync(trace, 'utf8').trimEnd().split('\n').slice(-12);
      resolve({ code, signal, silent, stderr, last });
    });
  });
}

const tally = new Tally('api-fuzz');
const seen = new Set();
/** Tells a finding once; the same of another seed is the same. */
function found(mechanism, kind, label, text, seed) {
  const key = `${kind} ${label.replace(/\(.*/s, '')} ${text.replace(/\d+/g, 'N').slice(0, 80)}`;
  if (seen.has(key)) return;
  seen.add(key);
  console.log(`finding: ${kind}: ${label}: ${text} (seed ${seed})`);
  tally.found(mechanism, `${kind}: ${label.slice(0, 120)}: ${text.slice(0, 600)} (seed ${seed})`);
}

const mechanismOf = (label) => /@octoipc\/([a-z]+)/.exec(label)?.[1] ?? 'all';

const end = performance.now() + options.seconds * 1000;
let next = options.seed;
while (performance.now() < end) {
  const left = (end - performance.now()) / 1000;
  let batch = next;
  let done = false;
  const began = performance.now();
  const calls = new Map();
  const ended = await turn(next, Math.min(TURN, Math.max(1, left)), (said) => {
    if (said.batch !== undefined) batch = said.batch;
    if (said.done) done = true;
    if (said.finding !== undefined) {
      const { kind, label, text, seed } = said.finding;
      found(mechanismOf(label), kind, label, text, seed);
    }
    for (const [of, count] of Object.entries(said.calls ?? {}))
      calls.set(of, (calls.get(of) ?? 0) + count);
  });
  // They are called in turns: each has had its part of the time.
  const lasted = (performance.now() - began) / 1000;
  const all = [...calls.values()].reduce((sum, count) => sum + count, 0);
  for (const [of, count] of calls) tally.inputs(of, count, (lasted * count) / all);
  if (ended.silent)
    found('all', 'hang', ended.last.at(-1) ?? '', 'the process answers no more', batch);
  else if (!done) {
    const how = `status ${ended.code ?? ended.signal}`;
    found('all', 'crash', ended.last.at(-1) ?? '', how, batch);
    console.log(ended.stderr.trimEnd().replaceAll(/^/gm, '    '));
    console.log(ended.last.join('\n').replaceAll(/^/gm, '    '));
  }
  next = batch + 1;
}
rmSync(folder, { recursive: true });
tally.tell();
