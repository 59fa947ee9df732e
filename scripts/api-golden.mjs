// The public types of every package against its committed api.d.ts; --update writes them anew. So a
// change of the API is a change that a reviewer sees. The types are those that were built, without
// comments and private members and in the order of their names: how the sources are cut does not show.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

import { capture, tool } from './run.mjs';
import { publicPackages, root, specifiers } from './workspace.mjs';

const { values, positionals } = parseArgs({
  options: { update: { type: 'boolean', default: false } },
  allowPositionals: true,
});

/** The bundled types of one entry, in one text, whatever other entries share with it. */
async function types({ folder, name }, entry) {
  const file = (extension) => join(folder, 'dist', `${entry}.${extension}`);
  // Where both formats have the same types, those of ES modules only name the others.
  const bundled = readFileSync(file('d.cts'), 'utf8');
  if (!/from '\.\.?\//.test(bundled)) return bundled;
  const out = mkdtempSync(join(tmpdir(), 'octoipc-api-'));
  try {
    const { status, output } = await capture(
      process.execPath,
      // The root's configuration would bundle all entries together; this one is alone.
      [
        tool('tsup'),
        `src/${entry}.ts`,
        '--no-config',
        '--dts-only',
        '--format=esm',
        `--out-dir=${out}`,
        `--tsconfig=${compilerOptions(out)}`,
      ],
      { cwd: folder },
    );
    if (status !== 0) throw new Error(`${name}: the types of ${entry} do not build\n${output}`);
    return readFileSync(join(out, `${entry}.d.ts`), 'utf8');
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The base options, and the one that the bundler of types still needs. */
function compilerOptions(out) {
  const file = join(out, 'tsconfig.json');
  writeFileSync(
    file,
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        ignoreDeprecations: '6.0',
        typeRoots: [join(root, 'node_modules/@types')],
      },
    }),
  );
  return file;
}

const isPrivate = (member) =>
  (member.name !== undefined && ts.isPrivateIdentifier(member.name)) ||
  (ts.canHaveModifiers(member) &&
    ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) === true);

function nameOf(statement) {
  const declared = statement.name ?? statement.declarationList?.declarations[0]?.name;
  return declared?.getText() ?? '';
}

/** Imports, declarations by name, then the exports by name. */
function rank(statement) {
  if (ts.isImportDeclaration(statement)) return 0;
  return ts.isExportDeclaration(statement) ? 2 : 1;
}

/** Drops private members and sorts the names of an export list. */
function tidy(context) {
  const visit = (node) => {
    if (ts.isClassDeclaration(node)) {
      return ts.factory.updateClassDeclaration(
        node,
        node.modifiers,
        node.name,
        node.typeParameters,
        node.heritageClauses,
        node.members.filter((member) => !isPrivate(member)),
      );
    }
    if (ts.isNamedExports(node)) {
      const sorted = node.elements.toSorted((a, b) => (a.name.text < b.name.text ? -1 : 1));
      return ts.factory.updateNamedExports(node, sorted);
    }
    return ts.visitEachChild(node, visit, context);
  };
  return visit;
}

async function normalised(text) {
  const source = ts.createSourceFile('api.d.ts', text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ removeComments: true });
  const { transformed } = ts.transform(source, [(context) => tidy(context)]);
  const order = source.statements
    .map((statement, index) => ({ statement, index, name: nameOf(statement) }))
    .toSorted(
      (a, b) =>
        rank(a.statement) - rank(b.statement) ||
        (a.name < b.name ? -1 : a.name > b.name ? 1 : a.index - b.index),
    );
  const printed = order.map(({ index }) =>
    printer.printNode(ts.EmitHint.Unspecified, transformed[0].statements[index], source),
  );
  const options = await resolveConfig(join(root, 'api.ts'));
  return format(printed.join('\n\n'), { ...options, parser: 'typescript' });
}

async function api(pack) {
  const parts = specifiers(pack.manifest).map(async (specifier) => {
    const subpath = specifier.slice(pack.manifest.name.length + 1);
    const text = await normalised(await types(pack, subpath === '' ? 'index' : subpath));
    return `// ${specifier}\n\n${text}`;
  });
  return (await Promise.all(parts)).join('\n');
}

let stale = 0;
for (const pack of publicPackages()) {
  if (positionals.length > 0 && !positionals.includes(pack.name)) continue;
  const file = join(pack.folder, 'api.d.ts');
  const now = await api(pack);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (now === before) continue;
  if (values.update) {
    writeFileSync(file, now);
    console.log(`wrote packages/${pack.name}/api.d.ts`);
    continue;
  }
  stale += 1;
  const { output } = await capture('diff', ['-u', existsSync(file) ? file : '/dev/null', '-'], {
    input: now,
  });
  console.log(
    `the public types of ${pack.manifest.name} are not those of its api.d.ts:\n${output}`,
  );
}
if (stale > 0) console.log('if that is meant: node scripts/api-golden.mjs --update');
else if (!values.update) console.log('the public types are those of each api.d.ts');
process.exitCode = stale === 0 ? 0 : 1;
