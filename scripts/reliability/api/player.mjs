// player.mjs SURFACE SECONDS SEED CALLS [PACKAGES]: plays batches until the time is over, and says on stdout, a JSON
// object a line, that it lives, what it found and how many calls it made. Run in namespaces of its own only.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

import { Batch } from './batch.mjs';
import { census, commandsOfChildren, leftNames, more, sweep } from './census.mjs';
import { Chance, Thrown } from './values.mjs';

/** What a worker needs to end once it is told to. */
const PATIENCE = 60_000;
/** After so long nothing ends by itself any more. */
const AT_LAST = 12_000;
/** Batches in which much is used for the first time. */
const WARM_UP = 2;
/** What is made once, at the first use, is no leak: one has grown in so many batches. */
const GROWTHS = 3;

async function load(surface) {
  const modules = new Map();
  for (const { specifier } of surface.functions) {
    if (!modules.has(specifier)) modules.set(specifier, await import(specifier));
  }
  return modules;
}

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

async function worker() {
  const { file, seed, calls, helpers, only } = workerData;
  const surface = read(file);
  const batch = new Batch(surface, await load(surface), { seed, raw: false, helpers, only });
  const told = () => ({ temporaries: batch.temporaries.splice(0) });
  await batch.play(calls, () => parentPort.postMessage({ beat: true, ...told() }));
  parentPort.postMessage({ calls: batch.calls, findings: batch.findings, ...told() });
}

/** Plays in a worker, which is ended in the middle of it now and then. */
function inWorker(data, mayEnd, chance) {
  return new Promise((resolve) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: data });
    const findings = [];
    const calls = {};
    const temporaries = [];
    let over = false;
    const watchdog = setTimeout(() => {
      findings.push({ kind: 'hang', label: 'worker', text: 'does not end' });
      resolve({ findings, calls, temporaries });
    }, PATIENCE);
    thread.on('message', (said) => {
      say({ beat: true });
      if (said.findings !== undefined) findings.push(...said.findings);
      Object.assign(calls, said.calls);
      temporaries.push(...said.temporaries);
      if (said.beat && mayEnd && !over && chance.often(0.3)) {
        over = true;
        void thread.terminate();
      }
    });
    thread.on('error', (error) => {
      if (error?.name === 'Error' && /^got |^aborted|^in a callback/.test(error.message)) return;
      findings.push({ kind: 'uncaught', label: 'worker', text: String(error?.stack ?? error) });
    });
    thread.on('exit', () => {
      clearTimeout(watchdog);
      resolve({ findings, calls, temporaries });
    });
  });
}

/**
 * Two processes that may get any signal, for as long as some calls are played. They are the main thread's: of a worker
 * that is terminated nobody would end them.
 */
async function withHelpers(play) {
  const helpers = Array.from({ length: 2 }, () =>
    spawn('sleep', ['1000'], { stdio: 'ignore', detached: true }),
  );
  const ended = helpers.map((each) => once(each, 'exit'));
  try {
    return await play(helpers.map(({ pid }) => pid));
  } finally {
    for (const each of helpers) each.kill('SIGKILL');
    await Promise.all(ended);
  }
}

async function settle() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * What is too much after a batch; asked again, since a thread or a child may be about to end, and who has begun a
 * handshake and says no more is dropped after 10 s.
 */
async function leaks(before) {
  const end = performance.now() + AT_LAST;
  for (;;) {
    await settle();
    const found = [...more(before, census()), ...leftNames()];
    if (found.length === 0 || performance.now() > end) return found;
    say({ beat: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function main() {
  const [file, seconds, seedText, callsText, packages] = process.argv.slice(2);
  if (!readlinkSync('/proc/self').match(/^\d{1,3}$/) || process.getuid() === 0) {
    throw new Error('not in a namespace of its own, or as root: this would do harm');
  }
  const only = packages?.split(',');
  // Nobody listens any more.
  process.stdout.on('error', () => process.exit(1));
  const surface = read(file);
  const modules = await load(surface);
  let seed = Number(seedText);
  const report = (findings) => {
    for (const each of findings) say({ finding: { ...each, seed } });
  };
  process.on('uncaughtException', (error) => {
    if (!(error instanceof Thrown))
      report([{ kind: 'uncaught', label: 'process', text: String(error?.stack ?? error) }]);
  });
  process.on('unhandledRejection', (error) => {
    if (!(error instanceof Thrown))
      report([{ kind: 'unhandled', label: 'process', text: String(error?.stack ?? error) }]);
  });
  const sysv = [
    modules.get('@octoipc/mq')?.SysvQueue,
    modules.get('@octoipc/sem')?.SysvSemaphoreSet,
    modules.get('@octoipc/shm')?.SysvSharedMemory,
  ].filter((each) => each !== undefined);
  const end = performance.now() + Number(seconds) * 1000;
  const grown = new Map();
  let before;
  for (let played = 0; played === 0 || performance.now() < end; played++, seed++) {
    const chance = new Chance(seed ^ 0x5eed);
    say({ batch: seed });
    const threads = played > 0 && played % 4 === 0 ? 1 + chance.below(3) : 0;
    const temporaries = [];
    await withHelpers(async (helpers) => {
      if (threads > 0) {
        const calls = Number(callsText) / 2;
        const all = Array.from({ length: threads }, (_, i) =>
          inWorker({ file, seed: seed * 7 + i, calls, helpers, only }, i > 0, chance),
        );
        for (const one of await Promise.all(all)) {
          report(one.findings);
          temporaries.push(...one.temporaries);
          say({ calls: one.calls });
        }
      } else {
        const batch = new Batch(surface, modules, { seed, raw: true, helpers, trace: 3, only });
        await batch.play(Number(callsText), () => say({ beat: true }));
        report(batch.findings);
        temporaries.push(...batch.temporaries);
        say({ calls: batch.calls });
      }
    });
    if (played >= WARM_UP) {
      for (const text of await leaks(before)) {
        const label = text.replace(/\d+/g, 'N');
        grown.set(label, (grown.get(label) ?? 0) + 1);
        // A name that has outlived its owner is one at once.
        if (text.startsWith('/') || grown.get(label) === GROWTHS) {
          const which = text.startsWith('children')
            ? ` ${commandsOfChildren().join('; ')}`
            : temporaries
                .filter(
                  (each) => text.startsWith('/') && each.includes(text.replace(/.*temp-/, 'temp-')),
                )
                .map((each) => `\n    ${each}`)
                .join('');
          report([{ kind: 'leak', label, text: `${text}${which}` }]);
        }
      }
    }
    sweep(sysv);
    await settle();
    if (played + 1 >= WARM_UP) before = census();
  }
  say({ done: true });
  process.exit(0);
}

try {
  await (isMainThread ? main() : worker());
} catch (error) {
  if (!isMainThread) throw error;
  // Not left to the handler of what the packages throw behind our back.
  console.error(error);
  process.exit(1);
}
