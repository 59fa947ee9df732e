// docs/runtimes.md: what each package does under each runtime, written by the run that has seen it.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { capture, runTool } from './run.mjs';
import { tourUnder, usedPackages, usePackage } from './uses.mjs';
import { root } from './workspace.mjs';

const folder = join(root, 'rehearsal', 'node_modules');
const meta = join(root, 'packages', 'octoipc');

/** Failures that are known: what is seen, and what it means for a program. A new one fails the run. */
const DESCRIPTORS =
  'not usable: the descriptors of node:fs are numbers of its own there, not those of the kernel';
const KNOWN = {
  'Deno tour': 'its rows of mq, sem and shm fail, as these packages do',
  'Deno mq': DESCRIPTORS,
  'Deno sem': DESCRIPTORS,
  'Deno shm': DESCRIPTORS,
};

async function others() {
  const files = {
    bun: [join(folder, 'bun', 'bin', 'bun'), []],
    deno: [join(folder, 'deno', 'deno'), ['run', '-A', '--no-prompt']],
  };
  if (!Object.values(files).every(([file]) => existsSync(file))) {
    const { status, output } = await capture('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: join(root, 'rehearsal'),
    });
    if (status !== 0) throw new Error(`Bun and Deno cannot be installed\n${output.trimEnd()}`);
  }
  return Object.values(files).map(([file, args]) => [file, ...args]);
}

async function nameOf([file]) {
  const { stdout } = await capture(file, ['--version']);
  const version = stdout.trim().split('\n')[0].replace(/^v/, '');
  if (file.endsWith('bun')) return `Bun ${version}`;
  return file.endsWith('deno') ? version.replace(/^deno (\S+).*/, 'Deno $1') : `Node ${version}`;
}

/** One runtime's column, and its remarks. */
async function column(runtime) {
  const title = await nameOf(runtime);
  const cells = {};
  const remarks = [];
  let wrong = 0;
  const note = (name, verdict, fault) => {
    const known = KNOWN[`${title.split(' ')[0]} ${name}`];
    cells[name] = verdict;
    if (fault === undefined) return;
    remarks.push(`${title}, ${name}: ${known ?? fault}`);
    if (known === undefined) wrong += 1;
  };
  for (const name of usedPackages()) {
    const { works, lacks, said } = await usePackage(runtime, name, meta);
    note(
      name,
      works ? (lacks.length > 0 ? 'in part' : 'yes') : 'no',
      works ? undefined : firstError(said),
    );
    for (const lack of works ? lacks : []) remarks.push(`${title}, ${name}: ${lack}`);
    if (!works) console.log(`${title}: ${name}\n${said.replaceAll(/^/gm, '    ')}`);
  }
  const { works, rows, said } = await tourUnder(runtime, join(meta, 'dist', 'cli.js'), meta);
  note('tour', works ? `${rows.length} rows` : 'no', works ? undefined : firstError(said));
  if (!works) console.log(`${title}: tour\n${said.slice(0, 3000).replaceAll(/^/gm, '    ')}`);
  return { title, cells, remarks, wrong };
}

function firstError(said) {
  const line = stripVTControlCharacters(said)
    .split('\n')
    .find((each) => /error|abort|panic|not over/i.test(each));
  return (line ?? said.trim().split('\n').at(-1) ?? '').trim().slice(0, 160);
}

/**
 * Uses everything under each runtime and writes the page.
 *
 * @param nodes - the binaries of other versions of Node
 * @returns how many failures were not known
 */
export async function describeRuntimes(nodes) {
  const runtimes = [[process.execPath], ...nodes.map((file) => [file]), ...(await others())];
  const columns = [];
  for (const runtime of runtimes) columns.push(await column(runtime));
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const names = [...usedPackages(), 'tour'];
  const remarks = columns.flatMap((each) => each.remarks);
  const page = `# Runtimes

What \`npm run test:runtimes -- --all\` has seen: each package used in a process of its own
(\`rehearsal/use.mjs\`: every kind of wait, with a timeout and an abort, children, names), and the tour. Written by that
run. "In part" means that something answers \`ERR_UNSUPPORTED\`, or by its documented stand-in.

${row(['', ...columns.map(({ title }) => title)])}
${row(['---', ...columns.map(() => '---')])}
${names.map((name) => row([name, ...columns.map(({ cells }) => cells[name])])).join('\n')}
${remarks.length === 0 ? '' : `\n${remarks.map((remark) => `- ${remark}`).join('\n')}\n`}
The test suites themselves run on Node, by vitest. Electron was not tried. Its Node-API is documented to refuse buffers
over foreign memory (\`napi_no_external_buffers_allowed\`): a test gives \`@octoipc/shm\` that answer, and sees \`buffer\`
throw \`ERR_UNSUPPORTED\`. Not tried either: Node built with musl (its loader finds every symbol of the bindings), real
machines with arm64 (an emulated one runs all that [docs/arm64.md](arm64.md) lists), macOS (every source compiles for it, and every binding is used on Linux
without what it lacks: \`scripts/darwin.mjs\`, \`scripts/elsewhere.mjs\`) and Windows (the packages are imported, and asked,
in a process that says it is one).
`;
  const file = join(root, 'docs', 'runtimes.md');
  writeFileSync(file, page);
  await runTool('prettier', ['--write', '--log-level=warn', file]);
  console.log(row(['', ...columns.map(({ title }) => title)]));
  for (const name of names) console.log(row([name, ...columns.map(({ cells }) => cells[name])]));
  return columns.reduce((sum, { wrong }) => sum + wrong, 0);
}
