import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { ScriptedAdapter } from './adapter.js';
import type { Scope } from './scope.js';
import { turns } from './turns.js';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The arguments that have this Node run a role of a script. */
export function roleArguments(
  script: string | URL,
  role: string,
  args: readonly unknown[],
): string[] {
  const file = script instanceof URL || script.startsWith('file:') ? fileURLToPath(script) : script;
  return ['--expose-gc', file, role, ...args.map(String)];
}

/**
 * A process that plays a role.
 *
 * Lifetime: until it ends by itself; the scope kills what is left.
 */
export class RoleProcess {
  readonly child: ChildProcess;
  /** Settles when the process has ended and said everything. */
  readonly exited: Promise<Exit>;
  readonly #lines: string[] = [];
  readonly #listeners: ((line: string | undefined) => void)[] = [];
  #rest = '';
  #ended = false;
  #complaints = '';

  constructor(child: ChildProcess, scope: Scope) {
    this.child = child;
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.exited.then(
      () => this.#end(),
      () => this.#end(),
    );
    child.stdin?.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
    assert.ok(child.stdout, 'a role must have its standard output piped');
    child.stdout.on('data', (chunk: Buffer) => this.#hear(chunk.toString()));
    scope.defer(async () => {
      child.kill('SIGKILL');
      await this.exited.catch(() => {});
    });
  }

  /** Starts a role of the adapter's script. */
  static start(
    adapter: ScriptedAdapter,
    scope: Scope,
    role: string,
    ...args: readonly unknown[]
  ): RoleProcess {
    const child = spawn(process.execPath, roleArguments(adapter.script, role, args), {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new RoleProcess(child, scope);
  }

  /** What it wrote on standard error. */
  get complaints(): string {
    return this.#complaints;
  }

  /** The next line that it says, or undefined if it ends without one. */
  async line(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#ended) return line;
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  /** Fails unless the next line is this one. */
  async says(expected: string): Promise<void> {
    assert.equal(await this.line(), expected, this.#complaints);
  }

  /** The next line, as JSON. */
  async report<T>(): Promise<T> {
    const line = await this.line();
    assert.ok(line !== undefined, `it ended without a report: ${this.#complaints}`);
    return JSON.parse(line) as T;
  }

  /** Tells it a line. */
  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Sends a signal, and waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }

  /** Fails unless it ends by itself with this code. */
  async endsWith(code: number): Promise<void> {
    assert.deepEqual(await this.exited, { code, signal: null }, this.#complaints);
  }

  /** Stops it, and waits until it has stopped. */
  async stop(): Promise<void> {
    this.child.kill('SIGSTOP');
    const stat = `/proc/${this.child.pid}/stat`;
    while (!/\) [Tt] /.test(readFileSync(stat, 'latin1'))) await turns(1);
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const listener = this.#listeners.shift();
      if (listener === undefined) this.#lines.push(line);
      else listener(line);
    }
  }

  #end(): void {
    this.#ended = true;
    for (const listener of this.#listeners.splice(0)) listener(undefined);
  }
}
