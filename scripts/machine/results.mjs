// What a run of the virtual machine has seen: one result for each part of its plan, kept in docs/arm64.json for the
// page that tells it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { NotApplicable } from '../step.mjs';
import { root } from '../workspace.mjs';

export function writeResults(results) {
  writeFileSync(join(root, 'docs', 'arm64.json'), `${JSON.stringify(results, undefined, 2)}\n`);
}

/** What a report of a use says; throws where it is not good. */
export function judgeUse({ unrun, works, late, lacks = [], rows, said }) {
  if (unrun) throw new NotApplicable('there was no time left');
  if (!works) throw new Error(late ? `not over in time\n${said}` : said);
  return rows === undefined ? lacks.join('; ') : `${rows} rows`;
}

/** Not what a mechanism cannot have by its nature, of which the suite says so in a title. */
export function isLacking({ title }) {
  return !title.includes('> n/a: ');
}

/** How many of each, from a report of tests. */
export function countsOf({ passed, failed, skipped, unstable, missing }) {
  return {
    passed,
    failed: failed.length,
    skipped: skipped.filter(isLacking).length,
    'at the second try': unstable.length,
    'files not over': missing.length,
  };
}

/** Counts as words; what there is none of is left out. */
export function countsText(counts) {
  return Object.entries(counts)
    .filter(([name, count]) => name === 'passed' || count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
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
  const { passed, failed, skipped, unstable, missing, late, said, seconds } = report;
  const told = [
    ...lines('skipped', skipped.filter(isLacking)),
    ...lines('at the second try', unstable),
    ...missing.map((each) => `not over: ${each}`),
  ];
  if (told.length > 0) console.log(told.join('\n').replaceAll(/^/gm, '    '));
  const text = countsText(countsOf(report));
  if (failed.length > 0) throw new Error([text, ...lines('failed', failed)].join('\n'));
  if (missing.length > 0 && !late) throw new Error(`${text}\n${said}`);
  if (passed === 0) throw new NotApplicable(text);
  return `${text}, ${Math.round(seconds)} s`;
}
