// A TypeScript project that imports packages under the strictest settings, their declarations checked too: what is
// stripped from them as internal may be missed by others.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STRICTEST = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  types: ['node'],
};

/**
 * Writes it; `tsc -p FOLDER` checks it.
 *
 * @param folder - where the packages are installed
 * @param specifiers - what is imported
 * @param module - `nodenext`, or `esnext` as bundlers have it
 * @param typeRoots - where the types of Node are, if not in the folder
 */
export function strictProject(folder, specifiers, module, typeRoots) {
  const lines = specifiers.map((each, i) => `import * as package${i} from '${each}';`);
  const all = specifiers.map((_, i) => `package${i}`).join(', ');
  const text = `${lines.join('\n')}\nexport const everything: readonly object[] = [${all}];\n`;
  // As an ES module, and as CommonJS, which has declarations of its own.
  const files = module === 'esnext' ? ['types.mts'] : ['types.mts', 'types.cts'];
  for (const file of files) writeFileSync(join(folder, file), text);
  const moduleResolution = module === 'esnext' ? 'bundler' : module;
  const compilerOptions = {
    ...STRICTEST,
    module,
    moduleResolution,
    ...(typeRoots === undefined ? {} : { typeRoots }),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
}
