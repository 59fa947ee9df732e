// What vitest tells while it runs: a line for each test file that is over, in the file that OCTOIPC_REPORTS names. What
// is killed because the time is over has told all but the file at hand.
import { appendFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const MOST = 1500;
/** Milliseconds from which on a test is told of by itself. */
const SLOW = 5000;

/** A short text of what was thrown. */
function textOf({ name, message = '', stack = '' }) {
  const where = stack.split('\n').find((line) => line.includes('/test/'));
  return `${name}: ${message}${where === undefined ? '' : `\n${where.trim()}`}`.slice(0, MOST);
}

/** For who reads the console: what is at hand, and how long it took. */
function say(line) {
  writeFileSync('/dev/console', `${line}\n`);
}

export default class Reporter {
  onTestCaseResult(test) {
    const { duration = 0 } = test.diagnostic() ?? {};
    if (duration > SLOW) say(`${(duration / 1000).toFixed(1)} s: ${test.fullName}`);
  }

  onTestModuleEnd(module) {
    const report = {
      file: relative(process.cwd(), module.moduleId),
      passed: 0,
      failed: [],
      skipped: [],
      seconds: module.diagnostic().duration / 1000,
    };
    for (const test of module.children.allTests()) {
      const { state, errors = [], note } = test.result();
      if (state === 'passed') report.passed += 1;
      else if (state === 'failed')
        report.failed.push({ title: test.fullName, why: errors.map(textOf).join('\n') });
      else report.skipped.push({ title: test.fullName, ...(note === undefined ? {} : { note }) });
    }
    const outside = module.errors();
    if (outside.length > 0)
      report.failed.push({ title: 'the file itself', why: outside.map(textOf).join('\n') });
    const { file, passed, failed, seconds } = report;
    say(`${file}: ${passed} passed, ${failed.length} failed, ${seconds.toFixed(1)} s`);
    appendFileSync(process.env.OCTOIPC_REPORTS, `${JSON.stringify(report)}\n`);
  }
}
