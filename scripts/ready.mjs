// Makes the workspace ready to run: installs what package-lock.json names and is not there, then
// builds what has changed. Quiet unless something fails. Others import `ready`; by itself: npm run build.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { alone } from './alone.mjs';
import { readJson, root } from './workspace.mjs';

const NODE_MAJOR = 20;

function say(text) {
  process.stderr.write(`octoipc: ${text}\n`);
}

/** npm notes in a hidden lockfile what it has installed, as the last thing that it does. */
function isInstalled() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const present = readJson(hidden).packages;
  return Object.entries(readJson(join(root, 'package-lock.json')).packages)
    .filter(([path, wanted]) => path.startsWith('node_modules/') && !isForOthers(wanted))
    .every(([path, wanted]) => path in present && present[path].version === wanted.version);
}

/** Whether npm may leave a package out here: another system's binary, or an optional peer. */
function isForOthers({ optional = false, devOptional = false, peer = false }) {
  return optional || devOptional || peer;
}

async function install() {
  const { capture } = await import('./run.mjs');
  say('installing the development tools (npm ci)');
  const npm = process.env.npm_execpath;
  const [file, ...args] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  // Whatever NODE_ENV or the user's configuration leave out, this needs.
  const wanted = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status, output } = await capture(file, [...args, ...wanted, '--loglevel=error']);
  if (status === 0) return;
  // Where the lockfile does not fit, npm goes on to explain all its options.
  process.stderr.write(output.replace(/^npm error Clean install a project[\s\S]*/m, ''));
  throw new Error(`npm ci ended with status ${status}`);
}

async function build(only) {
  const { capture, tool } = await import('./run.mjs');
  const isFirst = !existsSync(join(root, 'packages', 'core', 'dist'));
  if (isFirst) say('building, which takes some minutes the first time');
  const start = performance.now();
  const { status, output } = await capture(
    process.execPath,
    [
      tool('turbo'),
      'run',
      'build',
      'build:native',
      ...(only === undefined ? [] : [`--filter=${only}...`]),
      '--output-logs=errors-only',
      `--concurrency=${availableParallelism()}`,
    ],
    {
      env: {
        ...process.env,
        // Binaries of another system must not come out of a cache that was carried along.
        OCTOIPC_HOST: host(),
        TURBO_TELEMETRY_DISABLED: '1',
        TURBO_NO_UPDATE_NOTIFIER: '1',
        DO_NOT_TRACK: '1',
      },
    },
  );
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) {
    process.stderr.write(output);
    throw new Error('the build failed; native code needs python3, make and a C++20 compiler (g++)');
  }
  if (seconds > 3) say(`built in ${seconds.toFixed(1)} s`);
}

function host() {
  process.report.excludeNetwork = true;
  const { glibcVersionRuntime = 'none' } = process.report.getReport().header;
  return `${process.platform}-${process.arch}-glibc-${glibcVersionRuntime}`;
}

/**
 * Installs and builds what is missing; throws with a sentence for the user where it cannot.
 *
 * @param only - builds this package and what it depends on, not all
 */
export async function ready(only) {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR) {
    throw new Error(`Node ${NODE_MAJOR} or later is needed, this is ${process.version}`);
  }
  await alone(
    join(root, '.ready'),
    async () => {
      if (!isInstalled()) await install();
      await build(only);
    },
    () => say('waiting for another build in this tree'),
  );
}

/** For the scripts that begin with `ready`: a failure is one line and status 1. */
export async function readyOrExit(only) {
  try {
    await ready(only);
  } catch (error) {
    say(error.message);
    process.exit(1);
  }
}

if (process.argv[1] === import.meta.filename) await readyOrExit();
