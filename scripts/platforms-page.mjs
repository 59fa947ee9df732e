// docs/platforms.md: what a rehearsal has tried and what came of it, kept by group in docs/platforms.json, so that a group
// can be rehearsed again by itself.
import { existsSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import { capture, runTool } from './run.mjs';
import { readJson, root } from './workspace.mjs';

const record = join(root, 'docs', 'platforms.json');
const page = join(root, 'docs', 'platforms.md');

/** What each group is about, in the order of the page. */
const ABOUT = {
  stage: 'What has to be there first',
  registry: 'A release, and what is installed from it',
  platforms: 'Other processors, C libraries and systems',
  machine: 'arm64 as a whole machine',
  runtimes: 'Runtimes, with what was installed',
  programs: 'Bundlers and compilers',
  suite: 'The conformance suites, from the tarballs',
  patch: 'A patch of one package',
};

const VERDICTS = ['passed', 'failed', 'skipped'];
const row = (cells) => `| ${cells.join(' | ')} |`;
const count = (rows, verdict) => rows.filter((each) => each.verdict === verdict).length;

/** A cell of Markdown, without the names that a folder had for an hour. */
function plain(text) {
  return text.replaceAll(/\/tmp\/octoipc-\S+/g, '…').replaceAll(/[*_<>|\\`[\]]/g, '\\$&');
}

function section([group, { day, commit, node, kernel, rows }]) {
  return `## ${ABOUT[group]}

Commit ${commit}, ${day}, Node ${node}, Linux ${kernel}.

${row(['what', 'result', 'seen'])}
${row(['---', '---', '---'])}
${rows.map(({ title, verdict, remark }) => row([plain(title), verdict, plain(remark)])).join('\n')}
`;
}

/**
 * Keeps what a rehearsal has seen, and writes the page.
 *
 * @param rows - of its steps
 */
export async function writePlatforms(rows) {
  const kept = existsSync(record) ? readJson(record) : {};
  const { stdout: commit } = await capture('git', ['rev-parse', '--short', 'HEAD']);
  const of = {
    day: new Date().toISOString().slice(0, 10),
    commit: commit.trim(),
    node: process.versions.node,
    kernel: release(),
  };
  for (const group of new Set(rows.map((each) => each.group))) {
    const own = rows.filter((each) => each.group === group);
    kept[group] = {
      ...of,
      rows: own.map(({ title, verdict, remark }) => ({ title, verdict, remark })),
    };
  }
  writeFileSync(record, JSON.stringify(kept, undefined, 2));
  const groups = Object.keys(ABOUT).map((group) => [group, kept[group]]);
  const there = groups.filter(([, seen]) => seen !== undefined);
  const text = `# Platforms

What \`npm run release:rehearse\` has tried on linux-${process.arch}, and what came of each. Written by that program, from what it
keeps in [platforms.json](platforms.json); with \`--only GROUP,… --page\` it tries some groups again. "Skipped" tells why it could not
be tried there. Runtimes in detail: [runtimes.md](runtimes.md); the machine: [arm64.md](arm64.md).

${row(['group', ...VERDICTS, 'day', 'commit'])}
${row(['---', ...VERDICTS.map(() => '---'), '---', '---'])}
${groups
  .map(([group, seen]) =>
    row([
      group,
      ...VERDICTS.map((verdict) => (seen === undefined ? '—' : count(seen.rows, verdict))),
      seen?.day ?? 'not run',
      seen?.commit ?? '—',
    ]),
  )
  .join('\n')}

${there.map(section).join('\n')}`;
  writeFileSync(page, text);
  await runTool('prettier', ['--write', '--log-level=warn', record, page]);
}
