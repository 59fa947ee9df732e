// @ts-check
// octoipc-bench-memory [--json FILE]: what an operation leaves on the heap, and what stays. Each subject
// runs in a process of its own, without collections for the allocations of one operation, then a million
// times for what remains after a collection.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { machine } from './machine.mjs';
import { SUBJECTS } from './sides/memory.mjs';

/**
 * @typedef {object} Memory
 * @property {string} subject
 * @property {number} perOperation - bytes that an operation allocates on the heap
 * @property {number} operations
 * @property {number} heapGrowth - bytes of the heap after all of them and a collection, less before
 * @property {number} residentGrowth
 */

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const side = join(import.meta.dirname, 'sides', 'memory.mjs');
/** @type {Memory[]} */
const results = [];
console.log(`${'subject'.padEnd(52)} ${'bytes each'.padStart(10)} ${'heap'.padStart(10)} resident`);
for (const subject of Object.keys(SUBJECTS)) {
  const text = execFileSync(
    process.execPath,
    ['--expose-gc', '--max-semi-space-size=128', '--min-semi-space-size=128', side, subject],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  /** @type {Memory} */
  const result = { subject, ...JSON.parse(text) };
  results.push(result);
  const { perOperation, heapGrowth, residentGrowth } = result;
  console.log(
    `${subject.padEnd(52)} ${perOperation.toFixed(0).padStart(10)} ${kib(heapGrowth)} ${kib(residentGrowth)}`,
  );
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine: machine(), results }, undefined, 2)}\n`);
}

/** @param {number} bytes */
function kib(bytes) {
  return `${(bytes / 1024).toFixed(0)} KiB`.padStart(10);
}
