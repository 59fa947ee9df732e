// What nobody uses: knip finds files, exports and dependencies, sherif where manifests contradict.
import { run, runTool, tool } from './run.mjs';

const knip = await runTool('knip', ['--no-progress', '--no-config-hints']);
const sherif = await run(process.execPath, [tool('sherif'), '--fail-on-warnings']);
process.exitCode = knip || sherif;
if (process.exitCode === 0) console.log('no file, export or dependency is unused');
