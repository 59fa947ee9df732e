// What is done inside the virtual machine: plan.json, beside this file. Each thing that is over is told by a line on the
// console that begins with "octoipc-report: " and goes on as JSON. It ends in the time that the plan has; what there
// was no time for is told as such.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const workspace = join(here, '..', '..');
const plan = JSON.parse(readFileSync(join(here, 'plan.json'), 'utf8'));

/** So many packages are tested at a time: who waits for another process leaves the processor to others. */
const LANES = 3;

/** What one package may take to be used, and the tour, which starts forty processes, one after the other. */
const USE = 120;
const TOUR = 600;
/** What has to be left for a second look. */
const SECOND = 60;
/** The last that is kept of what a program printed. */
const LAST = 3000;

const left = () => plan.seconds - process.uptime();
/** So many seconds, or what is left of the plan's. */
const within = (seconds) => Math.min(seconds, Math.max(left(), 1));

function tell(report) {
  console.log(`octoipc-report: ${JSON.stringify(report)}`);
}

/** Runs Node in a process group of its own, which is killed after so many seconds. */
function node(args, { seconds, cwd, env = {}, onOutput = () => {} }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...plan.env, ...env },
    });
    const said = [];
    const out = [];
    child.stdout.on('data', (data) => said.push(data) && out.push(data) && onOutput(data));
    child.stderr.on('data', (data) => said.push(data));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      process.kill(-child.pid, 'SIGKILL');
    }, seconds * 1000);
    child.on('close', (status) => {
      clearTimeout(timer);
      const [all, stdout] = [said, out].map((parts) => Buffer.concat(parts).toString());
      resolve({ status: status ?? 128, late, said: all, stdout });
    });
  });
}

/** Does one thing of the plan and tells what came of it, and how long it took. */
async function part(name, action) {
  if (left() < 0) return tell({ name, unrun: true });
  const begin = process.uptime();
  const report = await action();
  // What was stopped by the end of the time has not failed.
  if (report.works === false && report.late && left() < 0) return tell({ name, unrun: true });
  tell({ name, ...report, seconds: process.uptime() - begin });
}

async function use(name) {
  const program = join(plan.installed, 'use.mjs');
  const { status, late, said } = await node([program, name], {
    seconds: within(USE),
    cwd: plan.installed,
  });
  const lacks = [...said.matchAll(/^lacks: (.*)$/gm)].map(([, what]) => what);
  const works = status === 0 && said.includes(`used ${name}`);
  return { works, lacks, late, said: works ? '' : said.slice(-LAST) };
}

/** The tour; a row that was not begun in its time, as they start processes, has two more tries. */
async function tour() {
  const file = '/run/octoipc-tour';
  writeFileSync(file, Buffer.alloc(256 * 1024, 'octoipc '));
  const program = join(plan.installed, 'node_modules', 'octoipc', 'dist', 'cli.js');
  const rows = new Map();
  let only = [];
  let last;
  for (let tries = 0; tries < 3; tries += 1) {
    const args = [program, 'tour', file, '--json', ...only];
    last = await node(args, { seconds: within(TOUR), cwd: plan.installed });
    if (last.late || last.status > 1) break;
    for (const row of JSON.parse(last.stdout)) rows.set(`${row.mechanism} ${row.what}`, row);
    const wrong = [...rows.values()].filter(({ verified }) => !verified);
    if (wrong.length === 0) return { works: true, rows: rows.size };
    only = [`--only=${[...new Set(wrong.map(({ mechanism }) => mechanism))].join(',')}`];
  }
  return { works: false, late: last.late, rows: rows.size, said: last.stdout.slice(-LAST) };
}

/** Runs test files of a package; what each test has told, and which files there was an end of. */
async function vitest(project, files, seconds) {
  const reports = `/run/octoipc-${project}`;
  rmSync(reports, { force: true });
  const program = join(workspace, 'node_modules', 'vitest', 'vitest.mjs');
  const reporter = `--reporter=${join(here, 'reporter.mjs')}`;
  const options = ['--project', project, reporter, '--maxWorkers=1', ...plan.options];
  const { late, said } = await node([program, 'run', ...options, ...files], {
    seconds,
    cwd: workspace,
    env: { OCTOIPC_REPORTS: reports },
    onOutput: (text) => process.stdout.write(text),
  });
  const lines = existsSync(reports) ? readFileSync(reports, 'utf8').trim().split('\n') : [];
  const told = lines.map((line) => JSON.parse(line));
  const over = new Set(told.filter(({ state }) => state === 'over').map(({ file }) => file));
  const tests = told.filter(({ state }) => state !== 'over');
  return { tests, over, late, said: said.slice(-LAST) };
}

/** Tests files; as in scripts/second-look.mjs, a file in which something has failed runs once more, alone. */
async function test({ project, files }) {
  const { tests, over, late, said } = await vitest(project, files, within(Infinity));
  const failing = ({ state }) => state === 'failed';
  const unstable = [];
  for (const file of new Set(tests.filter(failing).map((each) => each.file))) {
    if (left() < SECOND) break;
    const again = await vitest(project, [file], within(Infinity));
    if (!again.over.has(file) || again.tests.some(failing)) continue;
    for (const each of tests.filter((one) => one.file === file && failing(one))) {
      unstable.push({ ...each });
      each.state = 'passed';
    }
  }
  const missing = files.filter((file) => !over.has(file));
  const passed = tests.filter(({ state }) => state === 'passed').length;
  const failed = tests.filter(failing);
  const skipped = tests.filter(({ state }) => state === 'skipped');
  const why = missing.length === 0 || late ? '' : said;
  return { passed, failed, skipped, unstable, missing, late, said: why };
}

tell({
  name: 'hello',
  node: process.version,
  arch: process.arch,
  kernel: release(),
  processors: availableParallelism(),
  memory: totalmem(),
  page: Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })),
});
for (const each of plan.uses) await part(`use ${each}`, () => use(each));
await part('tour', tour);
const rest = plan.tests.values();
await Promise.all(
  Array.from({ length: LANES }, async () => {
    for (const each of rest) await part(each.name, () => test(each));
  }),
);
tell({ name: 'end' });
