// Other processors and C libraries: arm64 by qemu-user, musl's loader, and systems that pass for another.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { installCompiler, zigRun } from '../cross-compiler.mjs';
import { capture } from '../run.mjs';
import { must, NotApplicable } from '../step.mjs';
import { tourUnder, usedPackages, usePackage } from '../uses.mjs';
import { root } from '../workspace.mjs';
import { LIBRARIES, mustHaveEmulator, node } from './arm64.mjs';
import { tools } from './stage.mjs';

/** What is seen of a package where the emulator does not do what it needs: which `emulator.c` has to tell. */
const SEEN = { popen: /EINVAL.*clone/, sem: /ENOSYS.*set_robust_list/ };

/** The emulator, and the C library for what it runs. */
function emulator() {
  mustHaveEmulator();
  return ['qemu-aarch64', '-L', LIBRARIES];
}

/** What a processor lacks, by package: a C program sees it, which has none of ours in it. */
async function lacking(target, prefix, folder) {
  const program = join(folder, `emulator-${target}`);
  await installCompiler();
  await zigRun(['cc', '-target', target, '-O1', join(tools, 'emulator.c'), '-o', program]);
  const [file, ...args] = [...prefix, program];
  const said = await must(file, args, { cwd: folder });
  return new Map(
    [...said.matchAll(/^lacks: (\w+) \((.*)\)$/gm)].map(([, name, what]) => [name, what]),
  );
}

/** A line of readelf: where a symbol is, and its name. */
const SYMBOL = /^ +\d+: [0-9a-f]{16} .* (UND|ABS|\d+) ([^\s@]+)/gm;
const OF_NODE = /^(napi|node_api)_/;

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('platforms', title, action);
  let beyond = new Map();
  await step('what the emulator lacks, and this machine not', async () => {
    beyond = await lacking('aarch64-linux-gnu.2.28', emulator(), stage.folder);
    const here = await lacking('x86_64-linux-gnu.2.28', [], stage.folder);
    if (here.size > 0) throw new Error(`this machine lacks ${[...here.values()].join(', ')}`);
    return [...beyond.values()].join(', ');
  });
  for (const name of usedPackages()) {
    await step(`arm64 by qemu: ${name}`, async () => {
      const { works, lacks, said } = await usePackage([...emulator(), node], name, stage.large);
      if (works) return lacks.join('; ');
      if (beyond.has(name) && SEEN[name]?.test(said) === true)
        throw new NotApplicable(`qemu-user lacks it, the machine does not: ${beyond.get(name)}`);
      throw new Error(said);
    });
  }
  await step('arm64 by qemu: the tour', async () => {
    const cli = join(stage.large, 'node_modules', 'octoipc', 'dist', 'cli.js');
    const { works, rows, said } = await tourUnder([...emulator(), node], cli, stage.large);
    // Its rows start a second process, by the path of the program that qemu runs: this processor cannot.
    if (/ELF.*not found|exec format error/i.test(said))
      throw new NotApplicable('it starts itself, which this processor cannot');
    if (!works) throw new Error(said);
    return `${rows.length} rows`;
  });
  await step("musl's loader finds every symbol", async () => {
    const loader = '/lib/ld-musl-x86_64.so.1';
    if (!existsSync(loader))
      throw new NotApplicable(`${loader} is not there: apt-get install musl`);
    for (const name of usedPackages()) {
      const file = join(root, 'packages', name, 'prebuilds', 'linux-x64-musl', `${name}.node`);
      const { output } = await capture(loader, ['--list', file]);
      const missing = [...output.matchAll(/: (\S+): symbol not found/g)].map(
        ([, symbol]) => symbol,
      );
      const foreign = missing.filter((symbol) => !/^(napi|node_api)_/.test(symbol));
      if (foreign.length > 0) throw new Error(`${file} lacks ${foreign.join(', ')}`);
      if (missing.length === 0) throw new Error(`${file} was not looked at: ${output}`);
    }
    return 'run in the group musl';
  });
  await step("arm64: musl's loader finds every symbol", async () => {
    // Debian has musl for the machine at hand alone: what a binary asks for is compared with what this one has.
    const known = '/lib/ld-musl-x86_64.so.1';
    if (!existsSync(known)) throw new NotApplicable(`${known} is not there: apt-get install musl`);
    const symbols = async (file) =>
      [...(await must('readelf', ['-W', '--dyn-syms', file])).matchAll(SYMBOL)].map(
        ([, where, name]) => ({ name, wanted: where === 'UND' }),
      );
    const has = new Set(
      (await symbols(known)).filter((each) => !each.wanted).map(({ name }) => name),
    );
    for (const name of usedPackages()) {
      const file = join(root, 'packages', name, 'prebuilds', 'linux-arm64-musl', `${name}.node`);
      const wanted = (await symbols(file)).filter((each) => each.wanted);
      if (wanted.length === 0) throw new Error(`${file} was not looked at`);
      const foreign = wanted.filter((each) => !has.has(each.name) && !OF_NODE.test(each.name));
      if (foreign.length > 0)
        throw new Error(`${file} lacks ${foreign.map((each) => each.name).join(', ')}`);
    }
    return 'as musl for x64 has them; not run';
  });
  await step('macOS: every binding compiles and links', async () => {
    const script = join(root, 'scripts', 'darwin.mjs');
    const said = await must(process.execPath, [script], { timeout: 3_600_000 });
    return said.trim().split('\n').at(-1);
  });
  await step('without what Linux alone has', async () => {
    const script = join(root, 'scripts', 'elsewhere.mjs');
    const said = await must(process.execPath, [script], { timeout: 3_600_000 });
    console.log(said.trimEnd().replaceAll(/^/gm, '    '));
    return said.trim().split('\n').at(-1);
  });
  for (const system of ['win32', 'darwin']) {
    await step(`as ${system}: installs, imports, ERR_UNSUPPORTED`, async () => {
      const said = await must(process.execPath, [join(root, 'scripts', 'unsupported.mjs'), system]);
      return said.trim().split('\n').at(-1);
    });
  }
}
