// The types of sources, tests and configuration; `tsc` writes nothing.
import { run, tool } from './run.mjs';

process.exitCode = await run(process.execPath, [
  tool('typescript', 'tsc'),
  '-p',
  'tsconfig.json',
  '--pretty',
  'false',
]);
