// docs/platforms.md: what a rehearsal has tried and what came of it, kept by group in docs/platforms.json, so that a group
// can be rehearsed again by itself.

/** What each group is about, in the order of the page. */
const ABOUT = {
  stage: 'What has to be there first',
  registry: 'A release, and what is installed from it',
  platforms: 'Other processors, C libraries and systems',
  musl: 'musl, by Bun: packages as npm has installed them, and the conformance suites',
  emulated: 'The whole suites for arm64, by qemu-user on this kernel',
  machine: 'arm64 as a whole machine',
  runtimes: 'Runtimes, with what was installed',
  programs: 'Bundlers and compilers',
  suite: 'The conformance suites, from the tarballs',
  patch: 'A patch of one package',
  newcomer: 'From a clone to the first change, by CONTRIBUTING alone (minutes)',
  suites:
    'The whole suites under every version of Node (passed, failed, skipped, seconds), conformance under the other runtimes',
};

const VERDICTS = ['passed', 'failed', 'skipped'];
const row = (cells) => `| ${cells.join(' | ')} |`;
const count = (rows, verdict) => rows.filter((each) => each.verdict === verdict).length;

/** A cell of Markdown, without the names that a folder had for an hour. */
function plain(text) {
  return text.replaceAll(/\/tmp\/octoipc-\S+/g, '…').replaceAll(/[*_<>|\\`[\]]/g, '\\$&');
}

/** What was seen of a row, and in which run, if not in that of its group. */
function seenOf({ remark, commit, day }) {
  const run = commit === undefined ? '' : `commit ${commit}, ${day}`;
  return plain([remark, run].filter((part) => part !== '').join('; '));
}

function section([group, { day, commit, node, kernel, rows }]) {
  return `## ${ABOUT[group]}

Commit ${commit}, ${day}, Node ${node}, Linux ${kernel}.

${row(['what', 'result', 'seen'])}
${row(['---', '---', '---'])}
${rows.map((each) => row([plain(each.title), each.verdict, seenOf(each)])).join('\n')}
`;
}

/** @param kept - docs/platforms.json */
export function platformsPage(kept) {
  const groups = Object.keys(ABOUT).map((group) => [group, kept[group]]);
  const there = groups.filter(([, seen]) => seen !== undefined);
  const architectures = [...new Set(there.map(([, { arch }]) => `linux-${arch}`))];
  return `# Platforms

What \`npm run release:rehearse\` has tried on ${architectures.join(', ')}, and what came of each. Written by that program, from what it
keeps in [platforms.json](platforms.json); with \`--only GROUP,… --page\` it tries some groups again, with \`--packages NAME,…\` the
suites for arm64 of some packages. "Skipped" tells why it could not be tried there. Runtimes in detail:
[runtimes.md](runtimes.md); the machine: [arm64.md](arm64.md).

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
}
