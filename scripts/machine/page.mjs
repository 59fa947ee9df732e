// docs/arm64.md, from what the last run of the rehearsal's group `machine` has kept.
import { countsOf, countsText, isLacking } from './results.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;

/** A package's cell: what came of a part of the plan. */
function cell(result) {
  if (result === undefined) return '—';
  if (result.unrun) return 'no time left';
  if (result.part === undefined) return result.verdict === 'passed' ? 'yes' : 'no';
  return countsText(countsOf(result));
}

function tourText({ unrun, verdict, rows }) {
  if (unrun) return 'no time left';
  return verdict === 'passed' ? `${rows} rows` : 'no';
}

/** A sentence of Markdown: titles have what Markdown would take for its own. */
function plain(text) {
  return text.replaceAll(/[*_<>|\\`]/g, '\\$&');
}

const section = (title, lines) =>
  lines.length === 0 ? '' : `\n## ${title}\n\n${lines.join('\n')}\n`;

/** @param results - docs/arm64.json */
export function machinePage({ hello, uses, tour, tests, seconds }) {
  const names = [...new Set([...uses, ...tests].map(({ name }) => name))].toSorted();
  const of = (results, name, part) =>
    results.find((each) => each.name === name && (part === undefined || each.part === part));
  const every = (kind) =>
    tests.flatMap(({ name, [kind]: all = [] }) =>
      all.filter(isLacking).map((each) => [name, each]),
    );
  const list = (kind) =>
    every(kind).map(
      ([name, { title, note }]) =>
        `- ${name}: ${plain(title)}${note === undefined ? '' : ` (${plain(note)})`}`,
    );

  return `# arm64

What \`npm run release:rehearse -- --only binaries,machine\` has seen: a Debian for arm64 with its own kernel, booted on a
processor that qemu emulates (\`scripts/machine/\`), in which each package, as npm has installed its tarball,
with the binary that is shipped, is used (\`rehearsal/use.mjs\`) and runs its tests. Written by
that run, from what it keeps in [arm64.json](arm64.json).

Linux ${hello.kernel}, pages of ${hello.page} bytes, Node ${hello.node}, ${hello.processors} processors; ${Math.round(seconds / 60)} minutes on the machine at hand.
The tour: ${tourText(tour)}.

${row(['', 'used', 'conformance', 'other tests'])}
${row(['---', '---', '---', '---'])}
${names.map((name) => row([name, cell(of(uses, name)), cell(of(tests, name, 'conformance')), cell(of(tests, name, 'other'))])).join('\n')}

Fewer workers and dropped handles than on a real processor (\`OCTOIPC_QUICK\`), and no census of descriptors around each file
(\`OCTOIPC_CENSUS=off\`). What an emulated processor cannot show is the order of memory: the one that emulates it keeps
stores in order, which arm64 does not promise. For that there is [docs/layout.md](layout.md), with the litmus test of each fence.
What failed there alone, and why, is in [docs/decisions.md](decisions.md#arm64-as-a-whole-machine).
${section('Skipped there', list('skipped'))}${section('At the second try', list('unstable'))}${section('Failed', list('failed'))}`;
}
