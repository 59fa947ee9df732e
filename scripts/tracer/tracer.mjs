// What lets the system calls of a process fail, or kills it before one: tracer.c, compiled for this machine.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The threads that the runtime has for itself. To be called before anything else is loaded: whatever is
 * started later is taken for ours.
 *
 * @returns their ids, without the main thread's
 */
export async function runtimeThreads() {
  // Starts libuv's pool.
  await readFile('/dev/null');
  return readdirSync('/proc/self/task')
    .map(Number)
    .filter((tid) => tid !== process.pid);
}

/** The compiled tracer. Lifetime: `remove` when no trace is wanted any more. */
export class Tracer {
  #folder = mkdtempSync(join(tmpdir(), 'octoipc-tracer-'));
  #program = join(this.#folder, 'tracer');
  /** Why nothing can be traced here; undefined if it can. */
  missing;

  constructor() {
    const defines = spawnSync('cc', ['-E', '-dM', '-include', 'sys/syscall.h', '-xc', '/dev/null']);
    if (defines.error !== undefined) {
      this.missing = 'cc is not installed';
      return;
    }
    const names = [...String(defines.stdout).matchAll(/^#define __NR_(\w+) /gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'syscalls' && name !== 'arch_specific_syscall');
    const lines = names.map((name) => `{__NR_${name}, "${name}"},\n`);
    writeFileSync(join(this.#folder, 'calls.h'), lines.join(''));
    const source = join(import.meta.dirname, 'tracer.c');
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror', `-I${this.#folder}`];
    execFileSync('cc', [...flags, '-o', this.#program, source], { stdio: 'inherit' });
  }

  /**
   * Follows the threads of a process that are not the runtime's, and whatever they start.
   *
   * @param what - `{ call, when, error }` to let a call fail, `{ call, when }` to kill before it; without,
   * all calls are told
   */
  async attach(pid, runtime, what) {
    const given = [String(pid), runtime.join(',') || '-'];
    if (what !== undefined) {
      const { call, when, error } = what;
      if (error === undefined) given.push('kill', call, String(when));
      else given.push('fault', call, String(constants.errno[error]), String(when));
    }
    const child = spawn(this.#program, given, { stdio: ['ignore', 'pipe', 'pipe'] });
    const trace = new Trace(child);
    await trace.attached;
    return trace;
  }

  /** Whether a process that is no child of the tracer can be followed. */
  async works() {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      const trace = await this.attach(child.pid, []);
      await trace.end();
      return true;
    } catch (error) {
      this.missing = `no process may be traced here: ${error.message}`;
      return false;
    } finally {
      child.kill('SIGKILL');
    }
  }

  remove() {
    rmSync(this.#folder, { recursive: true });
  }
}

/** A process that is being followed. */
class Trace {
  attached;
  #child;
  #said = '';
  #closed;

  constructor(child) {
    this.#child = child;
    this.#closed = once(child, 'close');
    this.attached = new Promise((resolve, reject) => {
      let wrong = '';
      child.stderr.on('data', (data) => (wrong += data));
      child.stdout.on('data', (data) => {
        this.#said += data;
        if (this.#said.startsWith('attached\n')) resolve();
      });
      child.on('close', () => reject(new Error(wrong.trim() || 'the process is gone')));
    });
  }

  /** Lets go; what was seen: `{ tid, call, argument }`. */
  async end() {
    this.#child.kill('SIGINT');
    await this.#closed;
    return this.#said
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [tid, call, argument] = line.split(' ');
        return { tid: Number(tid), call, argument };
      });
  }
}
