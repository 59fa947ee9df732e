import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { error } = spawnSync('nats-server', ['--version']);

/** Why tests with a server do not run here; undefined where they do. */
export const missing = error === undefined ? undefined : 'nats-server is not installed';

/** The title of a group of tests that needs a server: says so where there is none. */
export function titled(title: string): string {
  return missing === undefined ? title : `${title} (skipped: ${missing})`;
}

export interface ServerOptions {
  readonly jetstream?: boolean;
  /** Lines of a configuration. */
  readonly config?: string;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/**
 * A real server, on a port and with a store of its own.
 *
 * Lifetime: until `end()`; `kill()` and `start()` may come in between, and what it has stored stays.
 */
export class NatsServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'octoipc-nats-'));
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;

  private constructor(port: number, options: ServerOptions) {
    this.port = port;
    this.#options = options;
  }

  static async open(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), options);
    await server.start();
    return server;
  }

  /** The URL of a subject. */
  url(
    subject: string,
    scheme = this.#options.jetstream === true ? 'nats+jetstream' : 'nats',
  ): string {
    return `${scheme}://127.0.0.1:${this.port}/${subject}`;
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', String(this.port)];
    if (this.#options.jetstream === true) args.push('-js', '-sd', this.#folder);
    if (this.#options.config !== undefined) {
      const file = join(this.#folder, 'server.conf');
      writeFileSync(file, this.#options.config);
      args.push('-c', file);
    }
    const child = spawn('nats-server', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    for await (const line of createInterface({ input: child.stderr! })) {
      said += `${line}\n`;
      if (line.includes('Server is ready')) break;
    }
    child.stderr!.resume();
    if (child.exitCode !== null) throw new Error(`nats-server has ended: ${said}`);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
