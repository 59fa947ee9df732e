// Runs every example that a reader may copy: the ```js blocks of the READMEs, of docs/ and of @example
// in the sources, and the programs in examples/. Each runs in a process of its own and must end well in
// time; a value behind //=> must be what the expression before it gives. A block fenced as ```js no-run
// is only counted. With arguments, only files whose path contains one of them.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, join, relative } from 'node:path';

import ts from 'typescript';

import { capture } from './run.mjs';
import { filesUnder, packages, root } from './workspace.mjs';

const TIMEOUT = 20_000;
const FENCE = /^[ \t]*```js( no-run)?[ \t]*\n([\s\S]*?)^[ \t]*```[ \t]*$/gm;

/** The ```js blocks of a Markdown text: their line, code, and whether they are to be run. */
function blocks(text) {
  return [...text.matchAll(FENCE)].map(({ index, 1: mark, 2: code }) => ({
    line: text.slice(0, index).split('\n').length + 1,
    code,
    runs: mark === undefined,
  }));
}

/** The doc comments of a source as Markdown, every other line empty, so that lines keep their numbers. */
function docComments(text) {
  const lines = text.split('\n').map(() => '');
  for (const { index, 0: comment } of text.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)) {
    const first = text.slice(0, index).split('\n').length - 1;
    for (const [i, line] of comment.split('\n').entries()) {
      lines[first + i] = line.replace(/^[ \t]*\/?\*+ ?/, '');
    }
  }
  return lines.join('\n');
}

/** The expression whose value a comment tells: of the last statement that ends on the comment's line. */
function subject(source, comment) {
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line;
  let found;
  const visit = (node) => {
    const expression = ts.isExpressionStatement(node)
      ? node.expression
      : ts.isVariableStatement(node)
        ? node.declarationList.declarations.at(-1).initializer
        : undefined;
    const end = node.getEnd();
    if (expression !== undefined && end <= comment && lineOf(end) === lineOf(comment)) {
      if (found === undefined || end >= found.end) found = { end, expression };
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (found === undefined) return undefined;
  // What is printed is meant, not what printing gives.
  const { expression } = found;
  const printed =
    ts.isCallExpression(expression) &&
    expression.expression.getText(source) === 'console.log' &&
    expression.arguments.length === 1;
  return printed ? expression.arguments[0] : expression;
}

/** The code with each told value compared with the real one. */
function instrument(code) {
  const source = ts.createSourceFile('block.mjs', code, ts.ScriptTarget.Latest, true);
  const edits = [...code.matchAll(/\/\/=>[ \t]*(.*)$/gm)].map(({ index, 1: told }) => {
    const expression = subject(source, index);
    const line = code.slice(0, index).split('\n').length;
    if (expression === undefined) throw new Error(`no expression before //=> in line ${line}`);
    return { start: expression.getStart(source), end: expression.getEnd(), told, line };
  });
  let result = code;
  for (const { start, end, told, line } of edits.toSorted((a, b) => b.start - a.start)) {
    const call = `__told(${line}, (${result.slice(start, end)}), () => (${told}))`;
    result = result.slice(0, start) + call + result.slice(end);
  }
  return edits.length === 0 ? result : result + TOLD;
}

/** Behind the block's own code: imports and functions are there from the start all the same. */
const TOLD = `
import { inspect as __inspect, isDeepStrictEqual as __isSame } from 'node:util';
function __told(line, is, told) {
  if (__isSame(is, told())) return is;
  console.error(\`line \${line}: //=> \${__inspect(told())}, but it is \${__inspect(is)}\`);
  process.exit(1);
}
`;

/** Everything to run: `{ title, cwd, args }`, or `{ title, fault }` where it cannot be. */
function examples() {
  const found = [];
  const add = (file, cwd, text) => {
    for (const { line, code, runs } of blocks(text)) {
      const title = `${relative(root, file)}:${line}`;
      if (!runs) {
        found.push({ title, runs });
        continue;
      }
      try {
        const args = ['--input-type=module', '--eval', instrument(code)];
        found.push({ title, runs, cwd, args });
      } catch ({ message }) {
        found.push({ title, runs, fault: message });
      }
    }
  };
  const markdown = (file, cwd) => existsSync(file) && add(file, cwd, readFileSync(file, 'utf8'));
  markdown(join(root, 'README.md'), root);
  for (const file of filesUnder(join(root, 'docs')))
    if (extname(file) === '.md') markdown(file, root);
  for (const { folder } of packages()) {
    markdown(join(folder, 'README.md'), folder);
    for (const file of filesUnder(join(folder, 'src'))) {
      add(file, folder, docComments(readFileSync(file, 'utf8')));
    }
    for (const file of filesUnder(join(folder, 'examples'))) {
      if (extname(file) !== '.mjs') continue;
      found.push({ title: relative(root, file), runs: true, cwd: folder, args: [file] });
    }
  }
  const wanted = process.argv.slice(2);
  return wanted.length === 0
    ? found
    : found.filter(({ title }) => wanted.some((part) => title.includes(part)));
}

async function fault({ fault: known, args, cwd }) {
  if (known !== undefined) return known;
  const { status, output, timedOut } = await capture(process.execPath, args, {
    cwd,
    timeout: TIMEOUT,
  });
  if (timedOut) return `not over after ${TIMEOUT / 1000} s\n${output}`;
  return status === 0 ? undefined : `status ${status}\n${output}`;
}

const all = examples();
const queue = all.filter(({ runs }) => runs);
const total = queue.length;
let wrong = 0;
async function work() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const said = await fault(next);
    if (said === undefined) continue;
    wrong += 1;
    console.log(`${next.title}: ${said.trimEnd().replaceAll('\n', '\n    ')}`);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(`${total} examples run, ${wrong} failed, ${all.length - total} marked no-run`);
process.exitCode = wrong === 0 ? 0 : 1;
