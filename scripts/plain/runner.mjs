// What the conformance suites ask of vitest, in one file that any runtime can run: it collects the tests that are
// registered, and runs them one after the other. Each tells its begin and its end in a file, so that what ends the
// process has told which test it was.
import { appendFileSync } from 'node:fs';

const tests = [];
const titles = [];
const before = [];
const after = [];
const finishing = [];

const MOST = 600;

export function describe(title, body) {
  titles.push(title);
  body();
  titles.pop();
}

export function test(title, options, body = options) {
  tests.push({ title: [...titles, title].join(' > '), body });
}
test.skip = (title) => tests.push({ title: [...titles, title].join(' > ') });

export function beforeAll(hook) {
  before.push(hook);
}

export function afterAll(hook) {
  after.push(hook);
}

export function onTestFinished(hook) {
  finishing.push(hook);
}

/** No case of a suite asks it: they assert by `node:assert`. */
export function expect() {
  throw new Error('there is no expect() here');
}

async function inTurn(hooks) {
  for (const hook of hooks) await hook();
}

async function attempt({ title, body }) {
  if (body === undefined) return { title, state: 'skipped' };
  try {
    await body();
    return { title, state: 'passed' };
  } catch (error) {
    return { title, state: 'failed', why: String(error?.stack ?? error).slice(0, MOST) };
  } finally {
    await inTurn(finishing.splice(0).toReversed());
  }
}

/** Runs what was registered from one test on; the file and the number are the process's arguments. */
export async function runRegistered() {
  const [file, from] = process.argv.slice(2);
  const tell = (report) => appendFileSync(file, `${JSON.stringify(report)}\n`);
  await inTurn(before);
  for (let at = Number(from); at < tests.length; at += 1) {
    tell({ at, title: tests[at].title, state: 'begun' });
    tell({ at, ...(await attempt(tests[at])) });
  }
  await inTurn(after);
  tell({ state: 'over' });
  process.exit(0);
}
