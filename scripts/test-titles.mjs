// The tests of a file, from its syntax: what is in a comment, a string or a skipped test is none.
import { readFileSync } from 'node:fs';

import ts from 'typescript';

const TEST = new Set(['test', 'it']);
/** What a test may be called with, before its title. */
const MODIFIERS = new Set(['each', 'skipIf', 'runIf', 'concurrent', 'sequential', 'for', 'extend']);
const GROUPS = new Set(['describe', 'suite']);

/**
 * The titles of a file's tests, with `…` where a value stands in them.
 *
 * @param {string} file - a file of tests, or of conformance cases
 * @returns {string[]} those that run: neither skipped, nor to be written, nor below what is
 */
export function titlesOf(file) {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const titles = [];
  const visit = (node) => {
    if (ts.isCallExpression(node)) {
      const called = calledAs(node.expression);
      // What is below a group that is skipped does not run either.
      if (called?.off === true || (called !== undefined && node.arguments.some(switchesOff)))
        return;
      const title = node.arguments[0];
      if (called?.kind === 'test' && title !== undefined) titles.push(textOf(title));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles.filter((title) => title !== '');
}

/** What is called: a test or a group, and whether it is switched off; undefined for anything else. */
function calledAs(expression) {
  let off = false;
  let node = expression;
  for (;;) {
    if (ts.isPropertyAccessExpression(node)) {
      const { text } = node.name;
      if (text === 'skip' || text === 'todo' || text === 'fails') off = true;
      else if (!MODIFIERS.has(text)) return undefined;
      node = node.expression;
    } else if (ts.isCallExpression(node)) {
      const [given] = node.arguments;
      const skips = ts.isPropertyAccessExpression(node.expression) && node.expression.name.text;
      if (skips === 'skipIf' && given?.kind === ts.SyntaxKind.TrueKeyword) off = true;
      if (skips === 'runIf' && given?.kind === ts.SyntaxKind.FalseKeyword) off = true;
      node = node.expression;
    } else if (ts.isTaggedTemplateExpression(node)) node = node.tag;
    else break;
  }
  if (!ts.isIdentifier(node)) return undefined;
  const kind = TEST.has(node.text) ? 'test' : GROUPS.has(node.text) ? 'group' : undefined;
  return kind === undefined ? undefined : { kind, off };
}

/** Whether these are options of a test that switch it off. */
function switchesOff(node) {
  return (
    ts.isObjectLiteralExpression(node) &&
    node.properties.some(
      (each) =>
        ['skip', 'todo', 'fails'].includes(each.name?.getText()) && !/false/.test(each.getText()),
    )
  );
}

/** What a promise calls a test: its title without the ids of assertions before it, and without a reason to skip behind it. */
export function shortTitle(title) {
  return title.replace(/^(?:[A-Z]+-\d+[ :]+)+/, '').replace(/ \(…\)$/, '');
}

/** The text of a title; of a template with `…` for each value. */
function textOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node)) return textOf(node.left) + textOf(node.right);
  return '';
}
