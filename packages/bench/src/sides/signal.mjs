// @ts-check
// signal.mjs EXERCISE: what the signal suite measures, by @octoipc/signal; `process-on` by Node alone.
import { openProcess, send, watch } from '@octoipc/signal';

import { spawnPeer } from './peer.mjs';
import {
  driveFlow,
  driveTrips,
  now,
  receiveFlow,
  receiveTrips,
  serve,
  tripsAwaited,
  tripsSync,
} from './side.mjs';

const [exercise = '', role] = process.argv.slice(2);
const DATA = 'SIGRTMIN+1';

/** @param {number} pid @param {number} value */
function queue(pid, value) {
  for (;;) {
    try {
      send(pid, DATA, { value });
      return;
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error).code !== 'EAGAIN') throw error;
    }
  }
}

/** Signals of Node alone: one listener, told of the next. */
function nodeSignals() {
  /** @type {() => void} */
  let told = () => {};
  process.on('SIGUSR2', () => told());
  return () =>
    new Promise((resolve) => {
      told = () => resolve(undefined);
    });
}

/** @param {(pid: number) => void} give @param {() => Promise<unknown>} next @param {number} pid */
const tripOf = (give, next, pid) =>
  tripsAwaited(() => {
    const come = next();
    give(pid);
    return come;
  });

/** @param {(pid: number) => void} give @param {() => Promise<unknown>} next @param {number} pid */
const echoOf =
  (give, next, pid) =>
  /** @param {number} count */
  async (count) => {
    let come = next();
    for (let n = 1; n <= count; n++) {
      await come;
      // Node tells of nothing that comes before somebody listens.
      if (n < count) come = next();
      give(pid);
    }
  };

/** What gives and awaits a signal, by exercise. */
function ways() {
  if (exercise === 'process-on') {
    return {
      give: (/** @type {number} */ pid) => process.kill(pid, 'SIGUSR2'),
      next: nodeSignals(),
    };
  }
  const watcher = watch(DATA);
  return { give: (/** @type {number} */ pid) => queue(pid, 1), next: () => watcher.wait() };
}

/** What is opened and closed again, by exercise. @type {Record<string, () => void>} */
const openings = {
  open: () => watch(DATA).close(),
  'open-next': () => watch(DATA).close(),
  process: () => openProcess(process.pid).close(),
};

/** @param {() => void} open */
function driveOpening(open) {
  const first = exercise === 'open-next' ? watch(DATA) : undefined;
  return serve((count) => {
    const start = now();
    for (let n = 0; n < count; n++) open();
    return { ns: now() - start, watched: first?.closed === false };
  });
}

async function drive() {
  const opening = openings[exercise];
  if (opening !== undefined) return driveOpening(opening);
  const { child } = spawnPeer(import.meta.filename, {});
  const pid = child.pid ?? 0;
  if (exercise === 'queue') {
    return driveFlow(child, (count) => {
      for (let n = 0; n < count; n++) queue(pid, n);
    });
  }
  if (exercise === 'roundtrip-sync') {
    const watcher = watch(DATA);
    return driveTrips(
      child,
      tripsSync(() => {
        queue(pid, 1);
        watcher.waitSync();
      }),
    );
  }
  const { give, next } = ways();
  return driveTrips(child, tripOf(give, next, pid));
}

function answer() {
  if (exercise === 'queue') {
    const watcher = watch(DATA);
    receiveFlow(async (count) => {
      let sum = 0;
      let left = count;
      for await (const { value = 0 } of watcher) {
        sum += value & 0xff;
        left -= 1;
        if (left === 0) break;
      }
      return sum;
    });
    return;
  }
  if (exercise === 'roundtrip-sync') {
    const watcher = watch(DATA);
    receiveTrips((count) => {
      for (let n = 0; n < count; n++) {
        watcher.waitSync();
        queue(process.ppid, 1);
      }
    });
    return;
  }
  const { give, next } = ways();
  receiveTrips(echoOf(give, next, process.ppid));
}

if (role === 'peer') answer();
else await drive();
