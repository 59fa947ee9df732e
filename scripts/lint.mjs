// The linter of TypeScript and JavaScript, with the rules that need types; .oxlintrc.json has the rules.
import { runTool } from './run.mjs';

process.exitCode = await runTool('oxlint', [
  '--type-aware',
  '--deny-warnings',
  // One line each where nobody looks at pictures of code.
  ...(process.stdout.isTTY ? [] : ['--format=unix']),
  'packages',
  'scripts',
  ...process.argv.slice(2),
]);
