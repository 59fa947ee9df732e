// @ts-check
// import.mjs SPECIFIER: how long it takes to import a module, in new processes; with the specifier of an
// empty module, what a process needs for any.
import { execFileSync } from 'node:child_process';

import { serve } from './side.mjs';

const [specifier = ''] = process.argv.slice(2);
const url = import.meta.resolve(specifier);
const program = `
  const start = process.hrtime.bigint();
  await import(${JSON.stringify(url)});
  const ns = Number(process.hrtime.bigint() - start);
  const { readFileSync } = await import('node:fs');
  const addon = /\\/octoipc|\\/build\\/Release\\/\\w+\\.node/.test(readFileSync('/proc/self/maps', 'latin1'));
  console.log(JSON.stringify({ ns, addon }));
`;

await serve((count) => {
  let ns = 0;
  for (let n = 0; n < count; n++) {
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    const outcome = JSON.parse(text);
    if (outcome.addon) throw new Error(`${specifier} has opened an addon`);
    ns += outcome.ns;
  }
  return { ns };
});
