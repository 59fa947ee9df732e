// A process that plays one scene, as often as it is told; child.mjs is its other side.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { SharedMemory } from '@octoipc/shm';

const GO = 1;
const READY = 2;
const PATIENCE = 60_000;

/** Those that live; they end with this process. */
const living = new Set();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export class Victim {
  /** Of all that there were. */
  static pids = new Set();

  /** What was made once for all, because of a fault, is not counted as left. */
  made = 0;
  stderr = '';
  #memory;
  #words;
  #child;
  #threads;

  static async start(scene, folder) {
    const victim = new Victim();
    await victim.#start(scene, folder);
    return victim;
  }

  async #start(scene, folder) {
    const file = join(folder, `words-${Victim.pids.size}-${scene}`);
    writeFileSync(file, Buffer.alloc(65_536));
    this.#memory = SharedMemory.file(file);
    this.#words = this.#memory.view(Int32Array, 0, 2);
    const program = join(import.meta.dirname, 'child.mjs');
    this.#child = spawn(process.execPath, ['--expose-gc', program, scene, file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // What it leaves in the file system goes with the folder.
      env: { ...process.env, TMPDIR: folder },
    });
    Victim.pids.add(this.#child.pid);
    living.add(this.#child);
    this.#child.on('exit', () => living.delete(this.#child));
    this.#child.stderr.on('data', (data) => (this.stderr += data));
    const report = await this.#report();
    if (report === undefined) throw new Error(`${scene} cannot start: ${this.stderr}`);
    this.#threads = report.threads;
  }

  /** What it died of; undefined where it lives. */
  get death() {
    return this.#child.signalCode ?? this.#child.exitCode ?? undefined;
  }

  /** What it says next; undefined where it has died or says nothing. */
  async #report() {
    const deadline = performance.now() + PATIENCE;
    while (Atomics.load(this.#words, 0) !== READY) {
      if (this.death !== undefined || performance.now() > deadline) return undefined;
      await pause(1);
    }
    const text = Buffer.from(this.#memory.bytes.subarray(8, 8 + this.#words[1])).toString();
    return JSON.parse(text);
  }

  async #go() {
    Atomics.store(this.#words, 0, GO);
    return this.#report();
  }

  /** Plays the scene, with the tracer attached; what came of it, and the calls that were told. */
  async play(tracer, fault) {
    const trace = await tracer.attach(this.#child.pid, this.#threads, fault);
    const first = await this.#go();
    const calls = await trace.end();
    return { calls, report: first === undefined ? undefined : await this.#go() };
  }

  async kill() {
    this.#memory.close();
    if (this.death !== undefined) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
