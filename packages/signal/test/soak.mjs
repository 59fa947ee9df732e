// npm run soak -- signal [--quick]: a million mixed signals to a process under load. Every real-time one
// must come to each thread that watches, in the order in which its sender has sent it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SENDERS = 4;
/** As many signals as may be queued for the process. */
const QUEUE = 2000;
const quick = process.argv.includes('--quick');
const each = (quick ? 40_000 : 1_000_000) / SENDERS;
/** How long nothing may come while something is missing, in milliseconds. */
const PATIENCE = 30_000;

const path = (file) => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'octoipc-soak-'));
const flood = join(folder, 'flood');

try {
  execFileSync('cc', ['-O2', '-Wall', '-o', flood, path('flood.c')]);
  const flooded = spawn(process.execPath, [path('flooded.mjs')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    await soak(flooded);
  } finally {
    flooded.kill('SIGKILL');
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function soak(flooded) {
  const ended = once(flooded, 'exit').then(([code, signal]) => [`ended with ${code ?? signal}`]);
  await once(flooded, 'message');
  // The kernel looks through all that is queued for each that it gives: with a short queue it is we who are
  // measured, and senders meet its end.
  execFileSync('prlimit', ['--pid', String(flooded.pid), `--sigpending=${QUEUE}`]);
  const begin = performance.now();
  const sent = Array.from({ length: 4 }, () => 0);
  const senders = Array.from({ length: SENDERS }, (_, i) => send(flooded.pid, i + 1, sent));
  await Promise.all(senders);
  const wanted = String(sent);
  let seen = '';
  for (let since = performance.now(); ;) {
    flooded.send('report');
    const [reports] = await Promise.race([answer(flooded), ended]);
    if (typeof reports === 'string') throw new Error(`the process ${reports}`);
    const now = reports.map(({ counts }) => String(counts));
    const disorder = reports.reduce((total, report) => total + report.disorder, 0);
    if (disorder > 0) throw new Error(`${disorder} signals were out of order`);
    if (now.every((counts) => counts === wanted)) {
      const total = sent.reduce((a, b) => a + b);
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      console.log(
        `signal: ${each * SENDERS} sent, ${total} of them real-time, each counted in both threads, in order; ${reports[0].standard} standard ones seen; ${seconds} s`,
      );
      return;
    }
    if (String(now) !== seen) since = performance.now();
    seen = String(now);
    if (performance.now() - since > PATIENCE) throw new Error(`sent ${wanted}, counted ${seen}`);
    await setTimeout(100);
  }
}

/** The next message, as the one element of a list. */
function answer(process) {
  return new Promise((resolve) => process.once('message', (message) => resolve([message])));
}

/** One sender, whose totals are added up. */
async function send(pid, seed, totals) {
  const sender = spawn(flood, [pid, each, seed].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  sender.stdout.on('data', (chunk) => (said += chunk));
  const [code, signal] = await once(sender, 'close');
  if (code !== 0) throw new Error(`a sender ended with ${code ?? signal}`);
  for (const [kind, count] of said.trim().split(' ').entries()) totals[kind] += Number(count);
}
