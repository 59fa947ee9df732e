// A small Debian for another processor, from Debian's mirror: its packages are fetched by an apt of its own settings
// and unpacked, none of their scripts is run, and nothing changes in the system at hand. Kept in the scratch folder.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { must, NotApplicable } from '../step.mjs';
import { scratch } from '../workspace.mjs';

const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SOURCE = `deb [signed-by=${KEYS}] http://deb.debian.org/debian bookworm main\n`;

/** A kernel that has queues, System V objects and a console built in, and the tools that the tests use. */
const PACKAGES =
  `linux-image-cloud-arm64 base-files base-passwd bash busybox coreutils curl dash debianutils diffutils
findutils fish g++ gawk gcc grep hostname iproute2 libc-bin libc6-dev libstdc++6 make mount netcat-openbsd passwd perl
procps python3 sed socat strace systemd tmux util-linux zsh`.split(/\s/);

/** What nobody reads in a machine that lives for an hour. */
const LEFT_OUT = [
  './boot/System.map*',
  './lib/modules',
  './usr/share/doc',
  './usr/share/info',
  './usr/share/locale',
  './usr/share/man',
  './usr/lib/aarch64-linux-gnu/dri',
];

/** What the packages' scripts would have done. */
const LINKS = {
  'etc/alternatives/awk': '/usr/bin/gawk',
  'usr/bin/awk': 'gawk',
  'usr/bin/c++': 'g++',
  'usr/bin/cc': 'gcc',
  'usr/bin/nc': 'nc.openbsd',
  'usr/bin/sh': 'dash',
};
/** Folders that are links into usr, which no package has. */
const MERGED = ['bin', 'lib', 'sbin'];

const folder = join(scratch, 'machine', 'debian');

/** apt-get with folders, a status and an architecture of its own. */
function apt(...args) {
  const settings = {
    'APT::Architecture': 'arm64',
    'APT::Architectures::': 'arm64',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Debug::NoLocking': 'true',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc': join(folder, 'etc'),
    'Dir::Log': folder,
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return must('apt-get', [...options, '-qq', ...args], { timeout: 900_000 });
}

async function download() {
  for (const each of ['state/lists/partial', 'cache/archives/partial', 'etc/preferences.d']) {
    mkdirSync(join(folder, each), { recursive: true });
  }
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'etc', 'sources.list'), SOURCE);
  await apt('update');
  await apt('install', '--yes', '--download-only', ...PACKAGES);
}

async function unpack(root) {
  for (const each of MERGED) {
    mkdirSync(join(root, 'usr', each), { recursive: true });
    symlinkSync(`usr/${each}`, join(root, each));
  }
  const archives = join(folder, 'cache', 'archives');
  const tar = `tar -x -C "$2" --keep-directory-symlink ${LEFT_OUT.map((each) => `--exclude='${each}'`).join(' ')}`;
  for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb'))) {
    await must('sh', [
      '-c',
      `dpkg-deb --fsys-tarfile "$1" | ${tar}`,
      'sh',
      join(archives, name),
      root,
    ]);
  }
  for (const [path, target] of Object.entries(LINKS)) {
    rmSync(join(root, path), { force: true });
    symlinkSync(target, join(root, path));
  }
}

/**
 * The root of a Debian for arm64, with a kernel.
 *
 * @returns `{ root, kernel, fetched }`: a folder, a file, and whether they had to be fetched
 */
export async function debian() {
  for (const [file, name] of [
    ['/usr/bin/apt-get', 'apt'],
    ['/usr/bin/dpkg-deb', 'dpkg'],
    [KEYS, 'debian-archive-keyring'],
  ]) {
    if (!existsSync(file))
      throw new NotApplicable(`${file} is not there: Debian's package ${name}`);
  }
  const root = join(folder, 'root');
  const fetched = !existsSync(root);
  if (fetched) {
    const unfinished = join(folder, 'unfinished');
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await download();
    await unpack(unfinished);
    rmSync(join(folder, 'cache'), { recursive: true });
    renameSync(unfinished, root);
  }
  const kernel = readdirSync(join(root, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  return { root, kernel: join(root, 'boot', kernel), fetched };
}
