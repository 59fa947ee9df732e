// Figures of speed in READMEs and docs that no run gave: all are written by npm run bench:report, between its
// marks or to docs/benchmarks.md. A constant of the code, a limit or the output of a command that is shown as
// an example is none; such are listed here, each with the reason.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where figures are at home: the page itself, and decisions, which keep what they were taken by. */
const AT_HOME = new Set(['docs/benchmarks.md', 'docs/decisions.md']);

/** What is measured: times below a second, rates, and how many times as much. */
const FIGURE = new RegExp(
  [
    /\d[\d.,]*\s?(?:ns|µs|us|ms)\b/,
    /\d[\d.,]*\s?(?:(?:thousand|million|k|M)\s?)?(?:[kKMG]i?B|bytes|messages|calls|trips|operations|pairs)\s?(?:\/\s?s|a second|per second)\b/,
    /\d[\d.,]*\s?M\/s\b/,
    /\d[\d.,]*\s?(?:×|x faster)/,
    /(?:\d[\d.,]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|twenty|fifty|several|a hundred|a thousand))\s?times (?:as (?:fast|quick|much|many|long)|faster|quicker|slower)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gi',
);

/** The head of a column that has figures: below it a number is enough. */
const UNIT =
  /(?:^|[\s,(])(?:ns|µs|ms|(?:[kKMG]i?B|messages|calls|trips)\s?(?:\/\s?s|a second))(?:$|[\s,)])/;

/**
 * Texts that may stand, by file.
 *
 * @type {Readonly<Record<string, readonly { text: RegExp, reason: string }[]>>}
 */
const NO_FIGURES = {
  'docs/layout.md': [
    { text: /\b(?:30|100) ms\b/, reason: 'constants of the protocol' },
    { text: /\d+ × [`u]/, reason: 'fields of a structure' },
  ],
  'docs/errors.md': [{ text: /\b100 ms\b/, reason: 'a constant of the code' }],
  'docs/architecture.md': [{ text: /\b\d+ ms\b/, reason: 'limits and constants of the code' }],
  'packages/bench/README.md': [
    { text: /\b30 ms\b|100 µs|2,000 trips a second/, reason: 'how it measures' },
  ],
  'packages/octoipc/README.md': [
    { text: /\b(?:153|304) ms\b/, reason: 'what a command prints, as an example' },
  ],
  'packages/popen/README.md': [{ text: /\b100 ms\b/, reason: 'an example of a deadline' }],
  'packages/sem/README.md': [{ text: /\b50 ms\b/, reason: 'a constant of the code' }],
  'packages/shm/README.md': [{ text: /\b(?:20|30|50|100) ms\b/, reason: 'constants of the code' }],
};

/**
 * @param root - of the repository
 * @param begin - the mark before what the report writes
 * @param end - the mark after it
 * @returns the faults, a line each
 */
export function foreignFigures(root, begin, end) {
  const files = filesOf(root);
  return files.flatMap((file) => {
    const allowed = NO_FIGURES[file] ?? [];
    let ours = false;
    let isTable = false;
    /** Of the table that is read: the columns that have figures. */
    let columns = [];
    return readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        if (line.includes(begin)) ours = true;
        if (line.includes(end)) ours = false;
        if (ours) return [];
        const cells = line.startsWith('|') ? line.split('|') : [];
        if (cells.length === 0) columns = [];
        else if (!isTable) columns = cells.flatMap((cell, at) => (UNIT.test(cell) ? [at] : []));
        isTable = cells.length > 0;
        const rest = allowed.reduce(
          (text, each) => text.replaceAll(new RegExp(each.text, 'g'), ''),
          line,
        );
        return [
          ...[...rest.matchAll(FIGURE)].map(([figure]) => figure),
          ...columns.map((at) => cells[at]?.trim() ?? '').filter((cell) => /^[\d.,]+/.test(cell)),
        ].map((figure) => `${file}:${index + 1}: ${figure}: no figure of the published run`);
      });
  });
}

/** READMEs and docs, but for where figures are at home. */
function filesOf(root) {
  const markdown = (folder, options) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), options)
          .filter((name) => name.endsWith('.md'))
          .map((name) => join(folder, name))
      : [];
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));
  return [
    ...markdown('.'),
    ...markdown('docs', { recursive: true }),
    ...packages.flatMap((folder) => [
      ...markdown(folder),
      ...markdown(join(folder, 'docs'), { recursive: true }),
    ]),
  ].filter((file) => !AT_HOME.has(file) && !file.endsWith('CHANGELOG.md'));
}
