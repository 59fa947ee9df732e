// tsan.mjs [--minutes M | --quick]: ThreadSanitizer on the threads of the native code, as a step of the reliability run.
import { spawnSync } from 'node:child_process';

import { SKIPPED } from '../run.mjs';
import { watchThreads } from '../tsan.mjs';
import { THREADED } from './native-programs.mjs';
import { stepOptions, Tally } from './step.mjs';

const { seconds } = stepOptions(10);
if (spawnSync('c++', ['--version']).error !== undefined) {
  console.log('skipped: there is no compiler');
  process.exit(SKIPPED);
}
const tally = new Tally('tsan');
const each = Math.max(1, Math.round(seconds / THREADED.length));
for (const { name, source, seconds: took, counted, failure } of await watchThreads(each)) {
  tally.inputs(name, counted, took);
  if (failure !== undefined) tally.found(name, `${source}: ${failure}`);
}
tally.tell();
