// What vitest tells while it runs: a line for each test that is over, and for each file, in the file that OCTOIPC_REPORTS
// names. So what was killed because the time was over has told all but the test at hand.
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

const MOST = 1500;
/** Milliseconds from which on a test is told of on the console. */
const SLOW = 5000;

/** A short text of what was thrown. */
function textOf({ name, message = '', stack = '' }) {
  const where = stack.split('\n').find((line) => line.includes('/test/'));
  return `${name}: ${message}${where === undefined ? '' : `\n${where.trim()}`}`.slice(0, MOST);
}

const fileOf = (module) => relative(process.cwd(), module.moduleId);

function tell(report) {
  appendFileSync(process.env.OCTOIPC_REPORTS, `${JSON.stringify(report)}\n`);
}

export default class Reporter {
  onTestCaseResult(test) {
    const { state, errors = [], note } = test.result();
    const title = test.fullName;
    const why = state === 'failed' ? { why: errors.map(textOf).join('\n') } : {};
    tell({
      file: fileOf(test.module),
      title,
      state,
      ...why,
      ...(note === undefined ? {} : { note }),
    });
    const { duration = 0 } = test.diagnostic() ?? {};
    if (duration > SLOW) console.log(`${(duration / 1000).toFixed(1)} s: ${title}`);
  }

  onTestModuleEnd(module) {
    const file = fileOf(module);
    const errors = module.errors();
    if (errors.length > 0)
      tell({ file, title: 'the file itself', state: 'failed', why: errors.map(textOf).join('\n') });
    tell({ file, state: 'over' });
    console.log(`${(module.diagnostic().duration / 1000).toFixed(1)} s: ${file}`);
  }
}
