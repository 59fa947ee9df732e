// The types of sources, tests and configuration; and that every source tells its own declarations, without those of
// others (`isolatedDeclarations`), so that any tool can write them. `tsc` writes nothing.
import { run, tool } from './run.mjs';

for (const project of ['tsconfig.json', 'tsconfig.declarations.json']) {
  const args = ['-p', project, '--pretty', 'false'];
  process.exitCode ||= await run(process.execPath, [tool('typescript', 'tsc'), ...args]);
}
