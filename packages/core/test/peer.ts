import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The other side: a process that says lines on its standard output and is told lines on its input.
 *
 * Lifetime: the test's at most; what still runs at its end is killed, and waited for.
 */
export class Peer {
  readonly child: ChildProcess;
  /** Settles when it has ended and everything that it said has come. */
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #unheard = '';
  #over = false;
  #news: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#unheard += text;
      this.#tellNews();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#tellNews();
    });
    child.stdin?.on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.#over = true;
        this.#tellNews();
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    this.ended.catch(() => {});
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.ended.catch(() => {});
    });
  }

  static start(file: string, args: readonly string[], options: SpawnOptions = {}): Peer {
    return new Peer(spawn(file, args, { stdio: 'pipe', ...options }));
  }

  /** This Node, with a script of the test's fixtures. */
  static node(script: URL, args: readonly unknown[] = [], options: SpawnOptions = {}): Peer {
    const all = ['--expose-gc', fileURLToPath(script), ...args.map(String)];
    return Peer.start(process.execPath, all, { ...options, env: plain(options.env) });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('it could not be started');
    return this.child.pid;
  }

  /** The next line that it says; rejects if it ends without one. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#unheard.indexOf('\n');
      if (end >= 0) {
        const line = this.#unheard.slice(0, end);
        this.#unheard = this.#unheard.slice(end + 1);
        return line;
      }
      if (this.#over) throw new Error(`it ended without a line: ${this.stderr}`);
      await new Promise<void>((resolve) => this.#news.push(resolve));
    }
  }

  /** The next line, as JSON. */
  async report<T>(): Promise<T> {
    return JSON.parse(await this.line()) as T;
  }

  /** Waits until its standard error has this. */
  async complains(what: string): Promise<void> {
    while (!this.stderr.includes(what)) {
      if (this.#over) throw new Error(`it ended without '${what}': ${this.stderr}`);
      await new Promise<void>((resolve) => this.#news.push(resolve));
    }
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  #tellNews(): void {
    for (const tell of this.#news.splice(0)) tell();
  }
}

/** The environment without what the test runner adds to it. */
function plain(more: NodeJS.ProcessEnv | undefined): NodeJS.ProcessEnv {
  const kept = Object.entries({ ...process.env, ...more }).filter(
    ([name]) =>
      name !== 'NODE_OPTIONS' && name !== 'NODE_V8_COVERAGE' && !name.startsWith('VITEST'),
  );
  return Object.fromEntries(kept);
}
