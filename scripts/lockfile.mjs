// Whether `npm ci` would accept package-lock.json: an installation can leave out entries for other
// systems, or a new package, without a word.
import { capture } from './run.mjs';

const { status, output } = await capture('npm', ['ci', '--dry-run', '--loglevel=error']);
// npm goes on to explain all its options.
const said = output.replace(/^npm error Clean install a project[\s\S]*/m, '').trim();
console.log(status === 0 ? 'package-lock.json is complete' : said);
process.exitCode = status;
