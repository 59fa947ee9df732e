// Other processors and C libraries: arm64 by qemu-user, musl's loader, and systems that pass for another.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { capture } from '../run.mjs';
import { must, NotApplicable } from '../step.mjs';
import { tourUnder, usedPackages, usePackage } from '../uses.mjs';
import { root } from '../workspace.mjs';
import { tools } from './stage.mjs';

/**
 * What qemu-user does not do, and what is seen then: limits of the emulator, not of the package. It writes the
 * deadline of mq_timedsend(2) back, into memory that is constant (EFAULT); a signal does not get a thread out of
 * open(2); it has no robust futexes, clone(2) with CLONE_PIDFD, or pidfds of threads.
 */
const BEYOND_QEMU = {
  fifo: /not over in time/,
  mq: /EFAULT.*mq_send/,
  signal: /pidfd|ENOSYS|EINVAL/,
  shm: /ENOSYS|futex/,
  sem: /ENOSYS|robust|futex/,
  popen: /ENOSYS|clone|EINVAL/,
  socket: /ENOSYS|SO_PEER|pidfd/,
};

function arm64() {
  if (spawnSync('qemu-aarch64', ['--version']).error !== undefined)
    throw new NotApplicable('qemu-user is not installed');
  const libraries = '/usr/aarch64-linux-gnu';
  if (!existsSync(join(libraries, 'lib', 'libstdc++.so.6')))
    throw new NotApplicable(`${libraries} has no libstdc++: libstdc++6-arm64-cross`);
  return [
    'qemu-aarch64',
    '-L',
    libraries,
    join(tools, 'arm64', 'node_modules', 'node', 'bin', 'node'),
  ];
}

export async function rehearse(steps, stage) {
  const step = (title, action) => steps.run('platforms', title, action);
  for (const name of usedPackages()) {
    await step(`arm64 by qemu: ${name}`, async () => {
      const { works, lacks, said } = await usePackage(arm64(), name, stage.large);
      if (works) return lacks.join('; ');
      if (BEYOND_QEMU[name]?.test(said) === true)
        throw new NotApplicable(
          `qemu-user lacks it: ${said.match(/Error: .*|not over in time/)?.[0] ?? ''}`,
        );
      throw new Error(said);
    });
  }
  await step('arm64 by qemu: the tour', async () => {
    const cli = join(stage.large, 'node_modules', 'octoipc', 'dist', 'cli.js');
    const { rows, said } = await tourUnder(arm64(), cli, stage.large);
    if (rows.length === 0)
      throw new NotApplicable(`it starts itself, as qemu's: ${said.slice(0, 100)}`);
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
    return 'no Node for musl can be had here: not run';
  });
  for (const system of ['win32', 'darwin']) {
    await step(`as ${system}: installs, imports, ERR_UNSUPPORTED`, async () => {
      const said = await must(process.execPath, [join(root, 'scripts', 'unsupported.mjs'), system]);
      return said.trim().split('\n').at(-1);
    });
  }
}
