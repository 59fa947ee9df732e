// A virtual machine for arm64, with a processor that a program emulates: it boots from memory, has no disk and no
// network, and what it says on its console is listened to.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

import { NotApplicable } from '../step.mjs';

const EMULATOR = 'qemu-system-aarch64';
const MEMORY = 6144;
const PROCESSORS = 2;
/** A line of the console that is for us. */
const REPORT = /octoipc-report: (\{.*\})/;
/** The last lines of the console, for who asks why. */
const LAST = 40;

export class VirtualMachine {
  #child;
  #reports = new Map();
  #awaited;
  #console = [];
  #log;
  #fault;
  #watchdog;
  #ended;

  /** Throws {@link NotApplicable} where there is no emulator. */
  static check() {
    const { error, stdout } = spawnSync(EMULATOR, ['--version'], { encoding: 'utf8' });
    if (error !== undefined)
      throw new NotApplicable(`${EMULATOR} is not installed: Debian's package qemu-system-arm`);
    return stdout.match(/version (\S+)/)[1];
  }

  /**
   * @param kernel - a file
   * @param root - the file with the archives of its root
   * @param seconds - after so many it is killed
   * @param log - a file for all that is said on the console
   */
  constructor({ kernel, root, seconds, log }) {
    this.#log = createWriteStream(log);
    // The keys of pointer authentication are not what is tried here; as the standard has them they are slow to emulate.
    const processor = ['-machine', 'virt', '-cpu', 'max,pauth-impdef=on', '-smp', `${PROCESSORS}`];
    const rest = ['-m', `${MEMORY}`, '-nic', 'none', '-nographic', '-no-reboot'];
    const boot = [
      '-kernel',
      kernel,
      '-initrd',
      root,
      '-append',
      'console=ttyAMA0 loglevel=4 panic=-1',
    ];
    this.#child = spawn('nice', ['-n', '5', EMULATOR, ...processor, ...rest, ...boot], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.on('error', ({ message }) => this.#fail(message));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    this.#watchdog = setTimeout(() => {
      this.#fail(`the machine was not over after ${seconds} s`);
      this.#child.kill('SIGKILL');
    }, seconds * 1000);
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve)).then(() => {
      clearTimeout(this.#watchdog);
      this.#log.end();
      this.#fail('the machine has ended');
    });
  }

  #hear(line) {
    this.#log.write(`${line}\n`);
    const [, json] = REPORT.exec(line) ?? [];
    if (json === undefined) {
      this.#console.push(line);
      if (this.#console.length > LAST) this.#console.shift();
      return;
    }
    const report = JSON.parse(json);
    this.#reports.set(report.name, report);
    this.#awaited?.();
  }

  #fail(why) {
    this.#fault ??= why;
    this.#awaited?.();
  }

  /** What the machine says of one thing, when it has said it; throws what was on the console where it never does. */
  async report(name) {
    while (!this.#reports.has(name)) {
      if (this.#fault !== undefined) throw new Error(`${this.#fault}\n${this.#console.join('\n')}`);
      await new Promise((resolve) => (this.#awaited = resolve));
    }
    return this.#reports.get(name);
  }

  /** Waits for its end, or ends it. */
  async end({ kill = false } = {}) {
    if (kill && this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
