// musl, run: npm has no Node for it, but a Bun. That asks for GNU's C++ library, of which Debian has none for musl: the
// little that it wants is linked from Debian's own objects (rehearsal/musl/beside.c has what musl lacks), and lies over
// musl's folder in a mount namespace that goes with the program.
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { conformingPackages, runConformance } from '../plain/conformance.mjs';
import { reasonOf } from '../plain/gaps.mjs';
import { capture } from '../run.mjs';
import { must, NotApplicable } from '../step.mjs';
import { tourUnder } from '../uses.mjs';
import { useAll } from './registry.mjs';
import { tools } from './stage.mjs';

const LOADER = '/lib/ld-musl-x86_64.so.1';
const TARGET = 'linux-x64-musl';
const LIBRARY = 'libstdc++.so.6';
const COLLECTING = '--expose-gc';
/** Nothing else is loaded, neither what was built here nor what is for glibc, of which musl would load some. */
const ONLY = `OCTOIPC_BUILD=prebuilds/${TARGET}`;

const bun = join(tools, 'musl', 'node_modules', 'bun', 'bin', 'bun');

/** Where gcc has a file; undefined where it has none, and where there is no gcc. */
async function ofGcc(name) {
  const { stdout } = await capture('gcc', [`-print-file-name=${name}`]).catch(() => ({
    stdout: '',
  }));
  const file = stdout.trim();
  return existsSync(file) ? file : undefined;
}

/** The symbols that musl's loader does not find for Bun. */
async function wanted() {
  const { output } = await capture(bun, ['--version']);
  return [...output.matchAll(/: (\S+): symbol not found/g)].map(([, name]) => name);
}

/** Links what Bun wants of GNU's C++ library; the folder that has it. */
async function linkLibrary(folder) {
  const archive = await ofGcc('libstdc++_pic.a');
  if (archive === undefined)
    throw new NotApplicable('libstdc++_pic.a is not there: apt-get install libstdc++-*-pic');
  mkdirSync(folder);
  const rest = await Promise.all(['libgcc_eh.a', 'libgcc.a'].map(ofGcc));
  const keep = (await wanted()).flatMap((name) => ['-u', name]);
  // The headers are glibc's: nothing of it may be asked for by them.
  const plain = ['-fno-stack-protector', '-U_FORTIFY_SOURCE', '-nostdlib', '-z', 'defs'];
  const objects = [join(tools, 'musl', 'beside.c'), archive, ...rest, realpathSync(LOADER)];
  await must(
    'gcc',
    ['-O1', '-shared', '-fPIC', ...plain, `-Wl,-soname,${LIBRARY}`, ...keep, ...objects].concat(
      '-Wl,--gc-sections',
      '-o',
      join(folder, LIBRARY),
    ),
  );
  return folder;
}

/** Bun for musl, as the words of a command. */
async function bunForMusl(folder) {
  if (process.arch !== 'x64') throw new NotApplicable(`Debian's musl is for ${process.arch} here`);
  if (!existsSync(LOADER)) throw new NotApplicable(`${LOADER} is not there: apt-get install musl`);
  if (process.getuid() !== 0) throw new NotApplicable('only root has a mount namespace of its own');
  const over = dirname(realpathSync(LOADER));
  const library = await linkLibrary(folder);
  const mount = `mount -t overlay overlay -o lowerdir=${library}:${over} ${over}`;
  const within = ['--mount', 'sh', '-c'];
  const { status, output } = await capture('unshare', [...within, mount]);
  if (status !== 0) throw new NotApplicable(`nothing can be laid over it here: ${output.trim()}`);
  return ['unshare', ...within, `${mount} && exec "$@"`, 'sh', 'env', ONLY, bun];
}

/** That it is pipe's binary for musl which is mapped where pipe is used. */
async function mustBeForMusl([file, ...args], folder) {
  const program = `(await import('@octoipc/pipe')).createPipe();
    console.log((await import('node:fs')).readFileSync('/proc/self/maps', 'utf8'));`;
  const maps = await must(file, [...args, '-e', program], { cwd: folder });
  const [binary] = maps.match(/\S+\/pipe\.node$/m) ?? ['none'];
  if (!binary.includes(TARGET)) throw new Error(`${binary} is loaded`);
}

async function conform(runtime, pack) {
  const { passed, failures, complete, inapplicable } = await runConformance(
    [...runtime, COLLECTING],
    pack,
  );
  const wrong = failures.filter((failure) => reasonOf('Bun', failure) === undefined);
  const known = failures.length - wrong.length;
  const text = [
    `${passed} passed`,
    ...(known > 0 ? [`${known} known gaps of Bun`] : []),
    `${inapplicable} not applicable`,
  ].join(', ');
  if (wrong.length > 0 || passed === 0 || !complete)
    throw new Error(
      [text, ...wrong.map(({ title, why }) => `${title}\n${why}`)]
        .concat(complete ? [] : ['it was not run to its end'])
        .join('\n'),
    );
  return text;
}

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('musl', title, action);
  let runtime;
  const ready = await step('Bun for musl', async () => {
    runtime = await bunForMusl(join(stage.folder, 'musl'));
    const [file, ...args] = runtime;
    const version = (await must(file, [...args, '--version'])).trim();
    if (!stage.complete) throw new NotApplicable('the group binaries makes those for musl');
    return `${version}; npm has no Node for musl`;
  });
  if (!ready) return;
  await step('what is loaded is for musl', () => mustBeForMusl(runtime, stage.large));
  await step('each package used', () => useAll(runtime, stage.large));
  await step('the tour', async () => {
    const cli = join(stage.large, 'node_modules', 'octoipc', 'dist', 'cli.js');
    const { works, rows, said } = await tourUnder(runtime, cli, stage.large);
    if (!works) throw new Error(said);
    return `${rows.length} rows`;
  });
  for (const pack of conformingPackages())
    await step(`conformance of ${pack.name}`, () => conform(runtime, pack));
}
