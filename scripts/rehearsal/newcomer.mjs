// Whoever comes new: a clone, and what CONTRIBUTING.md says from there to the first change, by the commands that it names, in ten
// minutes. They are looked for in its text, so that the two stay one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { must } from '../step.mjs';
import { root } from '../workspace.mjs';

const TEN_MINUTES = 600_000;

const SOURCE = join('packages', 'fifo', 'src', 'request.ts');
const HINT = 'make it first: mkfifo(path)';
const TEST = `import { tryOpenWriter } from '@octoipc/fifo';
import { expect, test } from 'vitest';

test('tryOpenWriter() of what is not there is ENOENT, and says that a newcomer was here', () => {
  const hint = expect.stringContaining('newcomer') as string;
  const error = expect.objectContaining({ code: 'ENOENT', hint }) as Error;
  expect(() => tryOpenWriter('/tmp/octoipc-nobody/fifo')).toThrow(error);
});
`;
const CHANGESET = `---
'@octoipc/fifo': patch
---

\`ENOENT\` greets newcomers.
`;

/** What CONTRIBUTING.md has, and what it is called with here. */
const BEFORE = [['npm start']];
const AFTER = [
  ['npm run format -- packages/NAME .changeset', 'npm run format -- packages/fifo .changeset'],
  ["npm test -- --project 'pipe*'", "npm test -- --project 'fifo*'"],
  ['npm run check -- --only lint,types,symmetry,api,errors,links'],
];

export async function rehearse(steps, stage) {
  const tree = join(stage.folder, 'newcomer');
  const told = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const start = performance.now();
  const left = () => TEN_MINUTES - (performance.now() - start);
  const step = (title, action) => steps.run('newcomer', title, action);
  const run = ([named, command = named]) =>
    step(command, () => {
      if (!told.includes(named)) throw new Error(`CONTRIBUTING.md does not say: ${named}`);
      if (left() <= 0) throw new Error('ten minutes are over');
      return must('sh', ['-c', command], { cwd: tree, timeout: left() }).then(() => '');
    });
  await step('git clone', () => must('git', ['clone', '--quiet', root, tree]));
  for (const each of BEFORE) if (!(await run(each))) return;
  await step('a test, a change, a changeset', () => {
    const file = join(tree, SOURCE);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(HINT)) throw new Error(`${SOURCE} does not have: ${HINT}`);
    writeFileSync(file, text.replace(HINT, `${HINT}, newcomer`));
    writeFileSync(join(tree, 'packages', 'fifo', 'test', 'newcomer.test.ts'), TEST);
    writeFileSync(join(tree, '.changeset', 'newcomers.md'), CHANGESET);
  });
  for (const each of AFTER) if (!(await run(each))) return;
  await step('all of it in ten minutes', () => {
    const minutes = ((performance.now() - start) / 60_000).toFixed(1);
    if (left() < 0) throw new Error(`it took ${minutes}`);
    return minutes;
  });
}
