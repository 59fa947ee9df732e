// Where a release is rehearsed: a clone of what is committed, a registry, and empty projects, in one folder that goes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { hostBinaries } from '../host-binaries.mjs';
import { must } from '../step.mjs';
import { packages, root } from '../workspace.mjs';

/** The rehearsal's own tools. */
export const tools = join(root, 'rehearsal');

/** What an installation has in its PATH: no compiler, no python3, no make. */
const BARE = ['node', 'npm', 'sh'];

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function which(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

export class Stage {
  /** Whether the binaries of every system are there: then a release can be made by its own program. */
  complete = false;
  /** What the virtual machine has told, after its group. */
  machine;
  folder = mkdtempSync(join(tmpdir(), 'octoipc-rehearsal-'));
  tree = join(this.folder, 'tree');
  #steps;
  #registry;
  #removeBinaries = () => {};
  #env = process.env;

  /** @param names - of the packages whose whole suites are meant, in this order */
  constructor(steps, names) {
    this.#steps = steps;
    this.packages = names;
  }

  /** Everything that has to be there first. */
  async set(withBinaries) {
    const step = (title, action) => this.#steps.run('stage', title, action);
    const install = (folder, ...args) =>
      must('npm', ['ci', '--no-audit', '--no-fund', ...args], { cwd: folder, timeout: 600_000 });
    return (
      (await step('the tools of the rehearsal', async () => {
        if (!existsSync(join(tools, 'node_modules'))) await install(tools);
        const arm64 = join(tools, 'arm64');
        // For another processor than this one: npm has to be told that it is meant.
        if (!existsSync(join(arm64, 'node_modules', 'vitest')))
          await install(arm64, '--force', '--cpu=arm64', '--os=linux', '--libc=glibc');
        const musl = join(tools, 'musl');
        if (!existsSync(join(musl, 'node_modules', 'bun')))
          await install(musl, '--force', '--cpu=x64', '--os=linux', '--libc=musl');
      })) &&
      (withBinaries
        ? await step('binaries of every system', async () => {
            const printed = await must(process.execPath, [join(root, 'scripts', 'prebuild.mjs')], {
              timeout: 3_600_000,
            });
            console.log(printed.trimEnd().replaceAll(/^/gm, '    '));
            this.complete = true;
          })
        : await step('binaries of this system, as built here', () => {
            this.#removeBinaries = hostBinaries();
          })) &&
      (await step('a clone, with what was built', () => this.#clone())) &&
      (await step('a registry on 127.0.0.1', () => this.#openRegistry()))
    );
  }

  async #clone() {
    await must('git', ['clone', '--quiet', root, this.tree], { cwd: this.folder });
    await must('cp', ['-al', join(root, 'node_modules'), join(this.tree, 'node_modules')]);
    for (const { name, folder } of packages()) {
      for (const built of ['dist', 'build', 'prebuilds']) {
        if (!existsSync(join(folder, built))) continue;
        cpSync(join(folder, built), join(this.tree, 'packages', name, built), { recursive: true });
      }
    }
    // What a build of the tree would make, it has; the compiler is large, and the same.
    const cache = join(root, '.turbo', 'cache');
    if (existsSync(cache)) cpSync(cache, join(this.tree, '.turbo', 'cache'), { recursive: true });
    const compiler = join(root, 'toolchain', 'node_modules');
    if (existsSync(compiler)) symlinkSync(compiler, join(this.tree, 'toolchain', 'node_modules'));
    const changed = await must('git', ['status', '--porcelain'], { cwd: root });
    // Some steps use what is here, not the clone: the same is to be in both.
    if (changed !== '') throw new Error(`there are changes that are not committed:\n${changed}`);
  }

  async #openRegistry() {
    const port = await freePort();
    const upstream = (await must('npm', ['config', 'get', 'registry'])).trim();
    const config = join(this.folder, 'registry.yaml');
    writeFileSync(
      config,
      `storage: ${join(this.folder, 'storage')}
uplinks: { upstream: { url: '${upstream}' } }
packages:
  '@octoipc/*': { access: $all, publish: $all }
  'octoipc': { access: $all, publish: $all }
  '**': { access: $all, proxy: upstream }
log: { type: stdout, format: json, level: error }
`,
    );
    this.#registry = spawn(
      process.execPath,
      [
        join(tools, 'node_modules', 'verdaccio', 'bin', 'verdaccio'),
        `--config=${config}`,
        `--listen=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore', cwd: this.folder },
    );
    const npmrc = join(this.folder, 'npmrc');
    writeFileSync(
      npmrc,
      `registry=http://127.0.0.1:${port}/\n//127.0.0.1:${port}/:_authToken=rehearsal\nfund=false\naudit=false\nupdate-notifier=false\n`,
    );
    this.#env = {
      ...process.env,
      npm_config_userconfig: npmrc,
      npm_config_cache: join(this.folder, 'npm-cache'),
      npm_config_registry: `http://127.0.0.1:${port}/`,
      // Whoever tags, in the clone.
      GIT_COMMITTER_NAME: 'rehearsal',
      GIT_COMMITTER_EMAIL: 'rehearsal@localhost',
    };
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/-/ping`).catch(() => undefined);
      if (answer?.ok) return `port ${port}`;
      if (tries === 300 || this.#registry.exitCode !== null) throw new Error('verdaccio is not up');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Runs npm, or another program, with the rehearsal's registry. */
  run(file, args, { env = {}, ...options } = {}) {
    const all = { ...this.#env, ...env };
    return must(file, args, { timeout: 600_000, cwd: this.tree, env: all, ...options });
  }

  /**
   * An empty project that installs packages, with nothing in PATH that compiles.
   *
   * @returns its folder
   */
  async project(name, ...specifiers) {
    const folder = join(this.folder, name);
    const bin = join(this.folder, 'bin');
    if (!existsSync(bin)) {
      mkdirSync(bin);
      for (const each of BARE) symlinkSync(which(each), join(bin, each));
    }
    if (!existsSync(folder)) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    }
    await this.run('npm', ['install', '--omit=peer', ...specifiers], {
      cwd: folder,
      env: { PATH: bin },
    });
    return folder;
  }

  async strike() {
    this.#removeBinaries();
    if (this.#registry?.exitCode === null) {
      this.#registry.kill();
      await once(this.#registry, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
