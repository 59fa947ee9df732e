// No class may have a private field with the name of an export of the same file: what makes the CommonJS
// output of tsup takes `this.#name = x` for an assignment to the export, and changes that, too. It looks
// at the ESM output, from which the other is made.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { filesUnder, packages, root } from './workspace.mjs';

const EXPORTED = /\bexport\s*\{([^}]*)\}/g;
const ASSIGNED =
  /#([A-Za-z_$][\w$]*)\s*(?:(?:\*\*|>>>?|<<|&&|\|\||\?\?|[-+*/%&|^])?=(?![=>])|\+\+|--)|(?:\+\+|--)[\w$.]*#([A-Za-z_$][\w$]*)/g;

/** The names that both a private field, which is assigned to, and an export of this module have. */
export function clashes(code) {
  const exported = new Set(
    [...code.matchAll(EXPORTED)]
      .flatMap(([, list]) => list.split(','))
      .map((entry) => entry.trim().split(/\s+as\s+/)[0]),
  );
  const assigned = [...code.matchAll(ASSIGNED)].map(([, before, after]) => before ?? after);
  return [...new Set(assigned)].filter((name) => exported.has(name));
}

const SAMPLE =
  'class A{#one;#two=0;#three(){}get(){this.#one??=1;++this.#four;return this.#five===1}}export{A,one,two as x,three,four,five};';

if (process.argv[1] === import.meta.filename) {
  if (String(clashes(SAMPLE)) !== 'two,one,four') {
    throw new Error(`this check is broken: ${String(clashes(SAMPLE))}`);
  }
  const files = packages().flatMap(({ folder }) =>
    filesUnder(join(folder, 'dist')).filter((file) => file.endsWith('.js')),
  );
  if (files.length === 0) throw new Error('nothing is built');
  let found = 0;
  for (const file of files) {
    for (const name of clashes(readFileSync(file, 'utf8'))) {
      found += 1;
      console.log(
        `${relative(root, file)}: #${name} has the name of an export: rename one of them`,
      );
    }
  }
  if (found === 0) console.log('no private field has the name of an export');
  process.exitCode = found === 0 ? 0 : 1;
}
