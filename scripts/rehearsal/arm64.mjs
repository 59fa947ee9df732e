// Programs for arm64 on another processor, by qemu-user: the kernel hands them over to it (binfmt_misc), so that they can start
// themselves and others, and the C library for them lies over that of this machine, in a mount namespace that goes with them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { NotApplicable } from '../step.mjs';
import { tools } from './stage.mjs';

const HANDLERS = '/proc/sys/fs/binfmt_misc';
const NAME = 'octoipc-arm64';
/** As objdump shows it of any program for arm64: class, order and version, an executable or a library, and the processor. */
const MAGIC = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
const EMULATOR = '/usr/bin/qemu-aarch64';
export const LIBRARIES = '/usr/aarch64-linux-gnu';
const OVER = `mount -t overlay overlay -o lowerdir=${LIBRARIES}/lib:/usr/lib /usr/lib && exec "$@"`;

/** Node for arm64. */
export const node = join(tools, 'arm64', 'node_modules', 'node', 'bin', 'node');

/** Throws what is missing, if anything is. */
export function mustHaveEmulator() {
  if (!existsSync(EMULATOR)) throw new NotApplicable('qemu-user is not installed');
  if (!existsSync(join(LIBRARIES, 'lib', 'libstdc++.so.6')))
    throw new NotApplicable(`${LIBRARIES} has no libstdc++: libstdc++6-arm64-cross`);
}

/** Lifetime: from `open` to `close` the kernel hands arm64's programs to the emulator, for everyone on this machine. */
export class Arm64 {
  #mounted = false;
  #registered = false;

  /** @throws {NotApplicable} where it cannot be */
  static open() {
    mustHaveEmulator();
    if (process.getuid() !== 0) throw new NotApplicable('only root registers with binfmt_misc');
    const arm64 = new Arm64();
    try {
      arm64.#begin();
    } catch (error) {
      arm64.close();
      throw error;
    }
    return arm64;
  }

  #begin() {
    if (!existsSync(join(HANDLERS, 'register'))) {
      const { status, stderr } = spawnSync('mount', ['-t', 'binfmt_misc', 'none', HANDLERS]);
      if (status !== 0) throw new NotApplicable(`no binfmt_misc here: ${stderr}`);
      this.#mounted = true;
    }
    const isThere = readdirSync(HANDLERS)
      .filter((name) => name !== 'register' && name !== 'status')
      .some((name) => readFileSync(join(HANDLERS, name), 'latin1').includes('0200b700'));
    if (!isThere) {
      writeFileSync(join(HANDLERS, 'register'), `:${NAME}:M::${MAGIC}:${MASK}:${EMULATOR}:F`);
      this.#registered = true;
    }
    const [file, ...args] = this.command('-p', 'process.arch');
    const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
    if (stdout.trim() !== 'arm64') throw new NotApplicable(`it does not run: ${stderr.trim()}`);
  }

  /** Node for arm64 with these arguments, as a command of this machine. */
  command(...args) {
    return ['unshare', '--mount', 'sh', '-c', OVER, 'sh', node, ...args];
  }

  close() {
    if (this.#registered) writeFileSync(join(HANDLERS, NAME), '-1');
    if (this.#mounted) spawnSync('umount', [HANDLERS]);
  }
}
