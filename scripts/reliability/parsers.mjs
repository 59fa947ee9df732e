#!/usr/bin/env node
// parsers.mjs [--minutes M | --quick] [--seed N] [--target NAME] [--keep]: throws bytes at every parser of what others
// wrote, guided by what they reach: an input that reaches something new is kept, and changed further. What must hold is
// checked for each. --keep leaves what reached something new in corpus/, to begin with the next time. The parsers
// of memory that are C and C++ are fuzzed with libFuzzer where there is clang.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { root, scratch } from '../workspace.mjs';
import { Chance } from './api/values.mjs';
import { fuzzNative, programs } from './native.mjs';
import { Coverage } from './parsers/coverage.mjs';
import { mutate } from './parsers/mutate.mjs';
import { Tally, stepOptions } from './step.mjs';

const corpus = join(import.meta.dirname, 'corpus');
/** Smaller ones are as good, and are read. */
const KEPT_SIZE = 600;
/** So many are kept of a parser; those that are longer repeat what these do. */
const MOST_KEPT = 60;
/** So many inputs are tried between two looks at what was reached. */
const BATCH = 50;

/** Bundles the parsers, in a process of its own: all that is loaded here costs time whenever coverage is taken. */
async function bundle(outDir) {
  const program = join(import.meta.dirname, 'parsers', 'bundle.mjs');
  execFileSync(process.execPath, [program, outDir], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const file = readdirSync(outDir).find((name) => /^parsers\.m?js$/.test(name));
  return import(pathToFileURL(join(outDir, file)).href);
}

const options = stepOptions(60, {
  target: { type: 'string' },
  keep: { type: 'boolean', default: false },
});
mkdirSync(scratch, { recursive: true });
const folder = mkdtempSync(join(scratch, 'parsers-'));
const tally = new Tally('parsers');
const chance = new Chance(options.seed);
console.log(`seed ${options.seed}`);

function seedsOf(name) {
  const place = join(corpus, name.replaceAll(/\W+/g, '-'));
  return existsSync(place) ? readdirSync(place).map((file) => readFileSync(join(place, file))) : [];
}

function keep(name, bytes) {
  const place = join(corpus, name.replaceAll(/\W+/g, '-'));
  mkdirSync(place, { recursive: true });
  const digest = createHash('sha1').update(bytes).digest('hex').slice(0, 12);
  writeFileSync(join(place, digest), bytes);
}

/** Fuzzes one parser until the time is over. */
async function fuzz(name, { mechanism, check, seeds, size = KEPT_SIZE }, coverage, milliseconds) {
  const inputs = [];
  const found = new Set();
  let tried = 0;
  const attempt = async (bytes, isNew) => {
    tried += 1;
    try {
      await check(Buffer.from(bytes), isNew);
    } catch (error) {
      const text = `${error?.name}: ${error?.message}`.slice(0, 160);
      if (found.has(text)) return;
      found.add(text);
      const input = bytes.toString('base64').slice(0, 400);
      console.log(`finding: ${name}: ${error?.stack}\n    input: ${input}`);
      tally.found(mechanism, `${name}: ${text}`);
      keep(name, bytes);
    }
  };
  /** Tries one by one what together reached something new. */
  const sift = async (batch) => {
    const chosen = [];
    for (const bytes of batch) {
      await attempt(bytes, true);
      if (coverage.advance(true)) chosen.push(bytes);
    }
    return chosen;
  };
  const known = [...seeds, ...seedsOf(name)].map((each) => Buffer.from(each));
  await sift(known);
  inputs.push(...known);
  const began = performance.now();
  const end = began + milliseconds;
  let kept = 0;
  while (performance.now() < end) {
    const batch = Array.from({ length: BATCH }, () => mutate(chance, chance.one(inputs), inputs));
    for (const bytes of batch) await attempt(bytes, false);
    // To take coverage costs more than some inputs.
    if (!coverage.advance(false)) continue;
    for (const bytes of await sift(batch)) {
      inputs.push(bytes);
      if (!options.keep || bytes.length > size || known.length + kept >= MOST_KEPT) continue;
      keep(name, bytes);
      kept += 1;
    }
  }
  tally.inputs(mechanism, tried, (performance.now() - began) / 1000);
  console.log(
    `${name}: ${tried} inputs, ${inputs.length} that reach something new, ${coverage.size} bytes of code${kept > 0 ? `, ${kept} kept` : ''}`,
  );
}

const { targets } = await bundle(folder);
const chosen = Object.entries(targets).filter(
  ([name]) => options.target === undefined || name === options.target,
);
const coverage = new Coverage(folder);
const native = options.target === undefined ? programs(options.quick).length : 0;
const share = options.seconds / (chosen.length + native);
for (const [name, target] of chosen) await fuzz(name, target, coverage, share * 1000);
if (native > 0) {
  const { seed, quick, keep: kept } = options;
  await fuzzNative({ seconds: share, seed, folder, corpus, tally, quick, keep: kept });
}
rmSync(folder, { recursive: true });
tally.tell();
