// Every link of the Markdown files that git knows leads somewhere: a file of this tree, and the heading in
// it that the link names. In SECURITY.md a link to a file of tests has the title of one of them, which runs. Links
// to other hosts are not followed, but must be https. With arguments, only files whose path contains one of them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';

import { shortTitle, titlesOf } from './test-titles.mjs';
import { root } from './workspace.mjs';

const LINK = /!?\[((?:[^\]\\]|\\.)*)\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;

/** A Markdown text without its code, in which brackets are no links; lines keep their numbers. */
function withoutCode(text) {
  return text
    .replaceAll(/^([ \t]*)(```|~~~)[\s\S]*?^\1\2.*$/gm, (code) => code.replaceAll(/[^\n]/g, ''))
    .replaceAll(/(`+)[^`\n]+?\1/g, (code) =>
      code.includes('](') ? ' '.repeat(code.length) : code,
    );
}

/** The anchors of a Markdown text's headings, as GitHub makes them. */
function anchorsOf(text) {
  const seen = new Map();
  const headings = withoutCode(text).match(/^#{1,6} .*$/gm) ?? [];
  return new Set(
    headings.map((heading) => {
      const slug = heading
        .replace(/^#+ /, '')
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

const texts = new Map();
function textOf(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(file, 'utf8'));
  return texts.get(file);
}

const tests = new Map();
function testsOf(file) {
  if (!tests.has(file)) tests.set(file, new Set(titlesOf(file).map(shortTitle)));
  return tests.get(file);
}

/** What is wrong with a link of a file; undefined if nothing is. */
function fault(file, link, said) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) {
    return /^(https:\/\/[^\s/]+|mailto:)/.test(link) ? undefined : 'is no https URL';
  }
  const [path, anchor] = link.split('#');
  const target = path === '' ? file : resolve(dirname(file), decodeURIComponent(path));
  if (relative(root, target).startsWith('..')) return 'leads out of the tree';
  if (!existsSync(target)) return 'leads nowhere';
  // A promise names the test that holds it.
  if (file.endsWith('SECURITY.md') && target.endsWith('.test.ts') && !testsOf(target).has(said))
    return `has no test of the title “${said}” that runs`;
  if (anchor === undefined) return undefined;
  const page = statSync(target).isDirectory() ? join(target, 'README.md') : target;
  if (extname(page) !== '.md') return undefined;
  return existsSync(page) && anchorsOf(textOf(page)).has(anchor) ? undefined : 'names no heading';
}

const listed = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: root, encoding: 'utf8' },
);
const wanted = process.argv.slice(2);
const files = listed
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)))
  .filter((file) => !file.startsWith('scripts/templates/'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));

let links = 0;
let wrong = 0;
for (const name of files) {
  const file = join(root, name);
  const text = withoutCode(textOf(file));
  for (const { index, 1: title, 2: link } of text.matchAll(LINK)) {
    links += 1;
    const said = fault(file, link, title.replaceAll(/\\(.)/g, '$1'));
    if (said === undefined) continue;
    wrong += 1;
    console.log(`${name}:${text.slice(0, index).split('\n').length}: ${link} ${said}`);
  }
}
console.log(`${links} links in ${files.length} files, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
