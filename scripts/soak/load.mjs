// npm run soak -- load [--quick] [--minutes M] [--processes N] [--json FILE]: many processes at once on one
// POSIX queue, one System V queue, one ring, one lock and one server. Each message carries who sent it, its
// number and a checksum: none may be lost, doubled, torn or overtaken by a later one of its sender. How
// evenly the processes got their turns is told.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { KINDS } from './load-kinds.mjs';
import { Tally } from './load-tally.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    processes: { type: 'string' },
    json: { type: 'string' },
  },
});
const processes = Number(values.processes ?? (values.quick ? 8 : 64));
const kinds = Object.keys(KINDS);
const minutes = Number(values.minutes ?? (values.quick ? 0.1 : 60));
const milliseconds = (minutes * 60_000) / kinds.length;
/** How long nothing may come from a process that is asked for its report. */
const PATIENCE = 120_000;

/** A process that plays a role, and its next message. */
class Player {
  constructor(...args) {
    this.child = fork(new URL('load-player.mjs', import.meta.url), args.map(String));
    this.messages = [];
    this.child.on('message', (message) => this.messages.push(message));
    this.exited = once(this.child, 'exit');
  }

  async next() {
    const deadline = performance.now() + PATIENCE;
    while (this.messages.length === 0) {
      const { connected, exitCode, signalCode } = this.child;
      // What it has said last may come after its exit; the channel ends after that.
      if (!connected && (exitCode !== null || signalCode !== null)) {
        throw new Error(`a process ended with ${exitCode ?? signalCode}`);
      }
      if (performance.now() > deadline) throw new Error('a process says nothing');
      await pause(10);
    }
    return this.messages.shift();
  }

  async end() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

async function load(kind) {
  const { senders, receivers, make } = KINDS[kind](processes);
  const made = make(`/octoipc-load-${process.pid}`);
  const players = [];
  const start = (role, index) => {
    const player = new Player(kind, role, index, JSON.stringify(made.where));
    players.push(player);
    return player;
  };
  try {
    const takers = Array.from({ length: receivers }, (_, index) => start('receive', index));
    for (const taker of takers) assert.equal(await taker.next(), 'ready');
    const givers = Array.from({ length: senders }, (_, index) => start('send', index));
    for (const giver of givers) assert.equal(await giver.next(), 'ready');
    const begin = performance.now();
    for (const giver of givers) giver.child.send('go');
    await pause(milliseconds);
    for (const giver of givers) giver.child.send('stop');
    const sent = [];
    for (const giver of givers) sent.push(await giver.next());
    const seconds = (performance.now() - begin) / 1000;
    await made.finish?.(receivers);
    const received = new Tally(senders);
    for (const taker of takers) received.add(await taker.next());
    const total = sent.reduce((sum, { count }) => sum + count, 0);
    if (receivers > 0) received.mustBe(sent);
    made.check?.(sent);
    const fairness = fairnessOf(sent.map(({ count }) => count));
    console.log(
      `load: ${kind.padEnd(14)} ${String(senders + receivers).padStart(3)} processes, ${total} messages or turns in ${seconds.toFixed(1)} s, none lost, doubled or torn; ` +
        `per sender ${fairness.least} to ${fairness.most}, fairness ${fairness.index.toFixed(3)}`,
    );
    return { kind, processes: senders + receivers, messages: total, seconds, ...fairness };
  } finally {
    for (const player of players) await player.end();
    made.close();
  }
}

/** Jain's index: 1 where all got the same, 1/n where one got everything. */
function fairnessOf(counts) {
  const sum = counts.reduce((total, count) => total + count, 0);
  const squares = counts.reduce((total, count) => total + count * count, 0);
  const index = squares === 0 ? 0 : (sum * sum) / (counts.length * squares);
  return { index, least: Math.min(...counts), most: Math.max(...counts) };
}

const results = [];
for (const kind of kinds) {
  try {
    results.push(await load(kind));
  } catch (error) {
    console.error(`load: ${kind}: ${error.stack}`);
    results.push({ kind, error: error.message });
    process.exitCode = 1;
  }
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
