// docs/runtimes.md: what each package does under each runtime, from the record that the runs have left.
import { packages } from './workspace.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;
const ORDER = ['Node', 'Bun', 'Deno'];

/** A sentence of Markdown: titles have what Markdown would take for its own. */
function plain(text) {
  return text.replaceAll(/[*_<>|\\`[\]]/g, '\\$&');
}

/** A part of the record as a table, a column for each runtime that has it; empty where none has. */
function table(columns, part, cellOf, last = []) {
  const present = columns.filter(([, parts]) => parts[part] !== undefined);
  const names = [...packages().map(({ name }) => name), ...last].filter((name) =>
    present.some(([, parts]) => parts[part][name] !== undefined),
  );
  if (names.length === 0) return 'Not run yet.';
  const days = present.map(([, parts]) => {
    const all = [...new Set(Object.values(parts[part]).map(({ day }) => day))].toSorted();
    return all.length > 1 ? `${all[0]} to ${all.at(-1)}` : all[0];
  });
  return [
    row(['', ...present.map(([title]) => title)]),
    row(['---', ...present.map(() => '---')]),
    ...names.map((name) =>
      row([
        name,
        ...present.map(([, parts]) => {
          const seen = parts[part][name];
          return seen === undefined ? 'not run' : cellOf(seen);
        }),
      ]),
    ),
    row(['_seen_', ...days]),
  ].join('\n');
}

function suiteCell({ passed, failed, skipped, inapplicable }) {
  const rest = Object.entries({ failed, skipped, 'not applicable': inapplicable })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `, ${count} ${what}`);
  return `${passed} passed${rest.join('')}`;
}

const gapCount = ({ gaps }) => Object.values(gaps).reduce((sum, titles) => sum + titles.length, 0);

function conformanceCell(seen) {
  if (seen.unusable !== undefined) return 'not usable';
  const { passed, failed, complete } = seen;
  const missing = gapCount(seen);
  return [
    `${passed} of ${passed + failed.length + missing}`,
    ...(missing > 0 ? [`${missing} known gap${missing === 1 ? '' : 's'}`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(complete ? [] : ['not run to its end']),
  ].join(', ');
}

/** A line for each reason, with what it takes from which package. */
function gapLines(columns) {
  const reasons = new Map();
  for (const [title, { conformance = {} }] of columns) {
    for (const [name, { gaps = {}, failed = [], unusable }] of Object.entries(conformance)) {
      const note = (reason, text) => {
        const key = `${title}: ${reason}`;
        reasons.set(key, [...(reasons.get(key) ?? []), text]);
      };
      if (unusable !== undefined) note(unusable, name);
      for (const [reason, titles] of Object.entries(gaps)) note(reason, `${name} ${titles.length}`);
      for (const failure of failed) note(`failed, ${plain(failure)}`, name);
    }
  }
  return [...reasons].map(([reason, where]) => `- ${reason} (${where.join(', ')})`).join('\n');
}

/** @param kept - docs/runtimes.json */
export function runtimesPage(kept) {
  const rank = (title) => ORDER.indexOf(title.split(' ')[0]);
  const columns = Object.entries(kept).toSorted(
    ([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1),
  );
  const remarks = columns.flatMap(([title, { uses = {} }]) =>
    Object.entries(uses).flatMap(([name, { remarks: all }]) =>
      all.map((remark) => `- ${title}, ${name}: ${remark}`),
    ),
  );
  return `# Runtimes

What \`npm run test:runtimes -- --all\` has seen, and its parts by themselves (CONTRIBUTING.md). Written by those runs, from
what they keep in [runtimes.json](runtimes.json).

## Each package used

In a process of its own (\`rehearsal/use.mjs\`: every kind of wait, with a timeout and an abort, children, names), and the
tour. "In part" means that something answers \`ERR_UNSUPPORTED\`, or by its documented stand-in.

${table(columns, 'uses', ({ cell }) => cell, ['tour'])}

${remarks.join('\n')}

## The whole test suite, under Node

By vitest, with fewer workers and dropped handles than \`npm test\` has (\`OCTOIPC_QUICK\`). "Not applicable" is what a mechanism
cannot have by its nature.

${table(columns, 'suites', suiteCell)}

## The conformance suites, under Bun and Deno

The suites that every mechanism passes, with the same adapters, by a runner of a hundred lines in vitest's place
(\`scripts/plain/\`): cases passed, of those that apply. A gap is a case that fails for a known reason of the runtime; any other
failure fails the run.

${table(columns, 'conformance', conformanceCell)}

${gapLines(columns)}

## Not tried

Electron: its Node-API is documented to refuse buffers
over foreign memory (\`napi_no_external_buffers_allowed\`): a test gives \`@octoipc/shm\` that answer, and sees \`buffer\`
throw \`ERR_UNSUPPORTED\`. Node built with musl (its loader finds every symbol of the bindings; the workflow uses the shipped
ones in Alpine), real machines with arm64 (on an emulated one each package is used and runs what
[docs/arm64.md](arm64.md) counts, with what failed there or had no time left), macOS (every source compiles for it, and every
binding is used on Linux without what it lacks: \`scripts/darwin.mjs\`, \`scripts/elsewhere.mjs\`) and Windows (the packages are
imported, and asked, in a process that says it is one).
`;
}
