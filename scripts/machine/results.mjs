// What a run of the virtual machine has seen: one result for each part of its plan, kept in the scratch folder for the
// page that tells it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { NotApplicable } from '../step.mjs';
import { readJson, scratch } from '../workspace.mjs';

const file = join(scratch, 'machine', 'results.json');

/** What {@link writeResults} has kept. */
export function readResults() {
  return readJson(file);
}

export function writeResults(results) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

/** What a report of a use says; throws where it is not good. */
export function judgeUse({ unrun, works, late, lacks = [], rows, said }) {
  if (unrun) throw new NotApplicable('there was no time left');
  if (!works) throw new Error(late ? `not over in time\n${said}` : said);
  return rows === undefined ? lacks.join('; ') : `${rows} rows`;
}

/** Tests of one part, from its report: `{ counts, failed, skipped, unstable, missing }`. */
export function tally({ over, unstable, missing }) {
  const failed = over.flatMap((each) => each.failed);
  const skipped = over.flatMap((each) => each.skipped);
  const passed = over.reduce((sum, each) => sum + each.passed, 0);
  const [of, at, without] = [failed, skipped, unstable].map(({ length }) => length);
  const counts = { passed, failed: of, skipped: at, unstable: without, missing: missing.length };
  return { counts, failed, skipped, unstable, missing };
}

function lines(title, all) {
  return all.map((each) => {
    const note = each.note === undefined ? '' : ` (${each.note})`;
    return [`${title}: ${each.title}${note}`, ...(each.why === undefined ? [] : [each.why])].join(
      '\n',
    );
  });
}

/** What a report of tests says, with what was skipped on lines of its own; throws where it is not good. */
export function judgeTests(report) {
  if (report.unrun) throw new NotApplicable('there was no time left');
  const { counts, failed, skipped, unstable, missing } = tally(report);
  const told = [
    ...lines('skipped', skipped),
    ...lines('at the second try', unstable),
    ...missing.map((each) => `not over: ${each}`),
  ];
  if (told.length > 0) console.log(told.join('\n').replaceAll(/^/gm, '    '));
  const remark = Object.entries({ ...counts, missing: 0, 'files not over': missing.length })
    .filter(([name, count]) => name === 'passed' || count > 0)
    .map(([name, count]) => `${count} ${name === 'unstable' ? 'at the second try' : name}`)
    .join(', ');
  if (failed.length > 0) throw new Error([remark, ...lines('failed', failed)].join('\n'));
  if (missing.length > 0 && !report.late) throw new Error(`${remark}\n${report.said}`);
  if (counts.passed === 0) throw new NotApplicable(remark);
  return `${remark}, ${Math.round(report.seconds)} s`;
}
