// Writes docs/errors.md: every code that the packages can give, where, when, and what helps. Meanings are
// core's, occasions come from `@throws` and from what sources construct, remedies from error-remedies.mjs.
// With --check it fails where the page is not what the sources say, or a code has no remedy.
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

import { REMEDIES } from './error-remedies.mjs';
import { readyOrExit } from './ready.mjs';
import { filesUnder, publicPackages, root } from './workspace.mjs';

const CODE = String.raw`(?:ERR_[A-Z_]+|E[A-Z0-9]{2,})`;
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const page = join(root, 'docs', 'errors.md');

/** Whether a word in capitals is a code: an errno of the system, or one of Node's and ours. */
function isCode(word) {
  return word in constants.errno || word.startsWith('ERR_') || ALSO.has(word);
}

/** What Node's tables lack: errnos of Linux, and what getaddrinfo(3) answers. */
const ALSO = new Set(['EOWNERDEAD', 'ENOTRECOVERABLE', 'EDEADLK', 'EIDRM', 'ECHILD', 'ENOLCK']);
ALSO.add('ENOMSG').add('ENOEXEC').add('EBADMSG').add('ENOTFOUND').add('ESOCKTNOSUPPORT');

/** The codes that a source constructs or explains, beside those of its comments. */
const CONSTRUCTED = [
  new RegExp(String.raw`new (?:core\.)?IpcError\(\s*'(${CODE})'`, 'g'),
  new RegExp(String.raw`^\s+(${CODE}): (?:\(|['"\x60])`, 'gm'),
  new RegExp(String.raw`^\s+\[-?(${CODE})\]: ['"\x60]`, 'gm'),
];

/** Codes that native code answers without a system call that failed. */
const ANSWERED = new RegExp(String.raw`return -(${CODE})\b`, 'g');

/** `{ code, when }` for each code that the text of a `@throws` names. */
function occasions(text) {
  const list = String.raw`${CODE}(?:(?:, … |, | or | and )${CODE})*`;
  const found = [];
  const pattern = new RegExp(String.raw`(${list})(,? ?[\s\S]*?)(?=(?:; |, |\. )${CODE}\b|$)`, 'g');
  for (const [, codes, when] of text.matchAll(pattern)) {
    for (const code of codes.match(new RegExp(CODE, 'g'))) {
      if (isCode(code)) found.push({ code, when: when.replace(/^[, …]+/, '').trim() });
    }
  }
  return found;
}

/** What a comment stands before: `Mutex.lock`, `ftok`. */
function symbolAt(text, index, line) {
  const name = /(?:^|\s)(?:function\*?|class|const|interface|type) (\w+)/.exec(line)?.[1];
  if (name !== undefined) return name;
  const member =
    /^\s*(?:(?:static|async|override|protected|get|set|abstract|readonly) )*(\[?[\w.]+\]?)/.exec(
      line,
    )?.[1];
  const owner = [
    ...text.slice(0, index).matchAll(/^export (?:abstract )?(?:class|interface) (\w+)/gm),
  ].at(-1)?.[1];
  return owner === undefined ? member : `${owner}.${member}`;
}

/** The occasions that the comments of a source tell. */
function documented(text) {
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\n([^\n]*)/g)].flatMap((match) => {
    const [, comment, line] = match;
    const tags = comment.replaceAll(/^\s*\* ?/gm, '').split(/^(?=@)/m);
    const thrown = tags.filter((tag) => /^@throws \{\w+\}/.test(tag));
    const symbol = symbolAt(text, match.index, line);
    return thrown.flatMap((tag) =>
      occasions(
        tag
          .replace(/^@throws \{\w+\} /, '')
          .replaceAll(/\s+/g, ' ')
          .trim(),
      ).map((occasion) => ({ ...occasion, symbol })),
    );
  });
}

/** Every code, with the packages and their occasions. */
function collect() {
  const codes = new Map();
  const of = (code, name) => {
    if (!codes.has(code)) codes.set(code, new Map());
    const byPackage = codes.get(code);
    if (!byPackage.has(name)) byPackage.set(name, new Map());
    return byPackage.get(name);
  };
  for (const { folder, manifest } of publicPackages()) {
    if (manifest.name === '@octoipc/conformance') continue;
    for (const file of filesUnder(join(folder, 'src')).filter((each) => extname(each) === '.ts')) {
      const text = readFileSync(file, 'utf8');
      for (const pattern of CONSTRUCTED)
        for (const [, code] of text.matchAll(pattern)) if (isCode(code)) of(code, manifest.name);
      for (const { code, when, symbol } of documented(text)) {
        const whens = of(code, manifest.name);
        if (when === '' || symbol === undefined || symbol.includes('#')) continue;
        whens.set(when, (whens.get(when) ?? new Set()).add(symbol));
      }
    }
    for (const file of filesUnder(join(folder, 'native'))) {
      for (const [, code] of readFileSync(file, 'utf8').matchAll(ANSWERED)) {
        if (isCode(code)) of(code, manifest.name);
      }
    }
  }
  return new Map([...codes].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** How many calls are named before the others are counted. */
const NAMED = 4;

function calls(symbols) {
  const names = [...symbols].toSorted();
  const shown = names.slice(0, NAMED).map((name) => `\`${name}\``);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** The columns of Markdown's tables end at bars. */
const cell = (text) => text.replaceAll('|', String.raw`\|`);

function section(code, byPackage, meaningOf) {
  const rows = [...byPackage].flatMap(([name, whens]) =>
    whens.size === 0
      ? [`| \`${name}\` | | as the system says |`]
      : [...whens].map(
          ([when, symbols]) => `| \`${name}\` | ${cell(calls(symbols))} | ${cell(when)} |`,
        ),
  );
  const { meaning, remedy } = REMEDIES[code];
  return `## ${code}

${meaning ?? meaningOf(code)}.

**What helps:** ${remedy}

| package | call | when |
| ------- | ---- | ---- |
${rows.join('\n')}
`;
}

await readyOrExit();
const { textOfCode } = await import(join(root, 'packages', 'core', 'dist', 'kit.js'));
const codes = collect();
const missing = [...codes.keys()].filter((code) => !(code in REMEDIES));
const needless = Object.keys(REMEDIES).filter((code) => !codes.has(code));
for (const code of missing) console.log(`error-remedies.mjs: ${code} has no remedy`);
for (const code of needless) console.log(`error-remedies.mjs: no package gives ${code}`);

if (missing.length > 0) process.exitCode = 1;
else {
  const head = `# Errors

Every code that the packages can give, generated from their sources (\`node scripts/errors.mjs\`): what it means,
what helps, and which call gives it when.

A bad argument is a \`TypeError\` or \`RangeError\` with one of Node's codes, before any system call. All else is an
\`IpcError\`, with \`code\`, \`errno\`, \`syscall\`, \`target\`, and where there is a remedy that fits the case, \`hint\`.
Codes are API, messages are not. What the system says beside keeps its name, as errno(3) lists it.

| code | meaning |
| ---- | ------- |
${[...codes.keys()].map((code) => `| [${code}](#${code.toLowerCase()}) | ${REMEDIES[code].meaning ?? textOfCode(code)} |`).join('\n')}
`;
  const text = [head, ...[...codes].map(([code, where]) => section(code, where, textOfCode))];
  const config = (await resolveConfig(page)) ?? {};
  const formatted = await format(text.join('\n'), { ...config, parser: 'markdown' });
  if (!values.check) writeFileSync(page, formatted);
  else if (read(page) !== formatted) {
    console.log('docs/errors.md is not what the sources say: node scripts/errors.mjs');
    process.exitCode = 1;
  }
  if (needless.length > 0) process.exitCode = 1;
  if (process.exitCode === undefined) console.log(`${codes.size} codes, each with a remedy`);
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
