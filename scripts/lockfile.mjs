// Whether `npm ci` would accept package-lock.json: an installation can leave out entries for other
// systems, or a new package, without a word.
import { run } from './run.mjs';

const status = await run(
  'npm',
  ['ci', '--dry-run', '--loglevel=error', '--no-audit', '--no-fund'],
  {
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
if (status === 0) console.log('package-lock.json is complete');
process.exitCode = status;
