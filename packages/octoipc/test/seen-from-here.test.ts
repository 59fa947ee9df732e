import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { ShmRing } from '@octoipc/shm';
import { describe, expect, it, onTestFinished } from 'vitest';

import { asUser } from '../../core/test/stranger.js';
import { command, home, octoipc } from './command.js';
import { fixture, VICTIM } from './other-user.js';
import { folder, uniqueName } from './objects.js';

const PIDS = ['--pid', '--fork', '--mount-proc', '--kill-child'];

/** Why namespaces of this kind cannot be had; undefined where they can. */
function refusal(...args: readonly string[]): string | undefined {
  const { status, error } = spawnSync('unshare', [...args, 'true']);
  if (error !== undefined) return 'unshare(1) is not installed';
  return status === 0 ? undefined : `unshare ${args.join(' ')} is not allowed here`;
}

const reasons = [refusal(...PIDS), refusal('--net'), refusal('--mount')];
for (const reason of reasons) if (reason !== undefined) console.log(`skipped: ${reason}`);
const [noPids, noNet, noMounts] = reasons;

/** A program that runs until its input ends, and has said something in its first line. */
async function started(file: string, args: readonly string[]): Promise<string> {
  const child = spawn(file, args, { cwd: home });
  onTestFinished(async () => {
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const complaint = text(child.stderr);
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error(`${file} has ended and said nothing but: ${await complaint}`);
}

interface Inspected {
  readonly details: Readonly<Record<string, unknown>>;
  readonly remarks: readonly string[];
  readonly orphaned: boolean;
}

async function inspect(url: string): Promise<Inspected> {
  const { status, stdout, stderr } = await octoipc('inspect', '--json', url);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Inspected;
}

describe('octoipc inspect', () => {
  it.skipIf(noPids !== undefined)(
    `takes no pid of another pid namespace for one of its own (${noPids ?? 'made here'})`,
    async () => {
      const name = uniqueName();
      const args = [...PIDS, process.execPath, fixture('locks.mjs'), `/${name}`];
      const { pid } = JSON.parse(await started('unshare', args)) as { pid: number };
      const seat = { pid, alive: null };
      const ring = await inspect(`shm:/${name}-ring`);
      expect(ring.details).toMatchObject({ consumer: seat, producers: [seat] });
      expect(ring.remarks).toContain(`consumer ${pid} of another pid namespace`);
      expect((await inspect(`shm:/${name}-news`)).details).toMatchObject({ producer: seat });
      const mutex = await inspect(`mutex:/${name}`);
      expect(mutex.details).toMatchObject({ owner: seat });
      expect(mutex.remarks).toContain(`held by ${pid} of another pid namespace`);
      const { stdout } = await octoipc('doctor', '--json');
      expect(stdout).not.toContain(name);
    },
  );

  it('tells a process in a seat from a later one of the same pid', async () => {
    const name = uniqueName();
    const ring = ShmRing.create(`/${name}`, { capacity: 4096 });
    onTestFinished(() => {
      ring.close();
      ShmRing.unlink(`/${name}`);
    });
    ring.producer();
    const url = `shm:/${name}`;
    const { pid } = process;
    expect((await inspect(url)).details).toMatchObject({ producers: [{ pid, alive: true }] });
    // The identity of the first producer's seat: bits 22 to 53 are when its process has started.
    const file = openSync(`/dev/shm/${name}`, 'r+');
    onTestFinished(() => closeSync(file));
    const identity = readFileSync(`/dev/shm/${name}`).subarray(576, 584);
    const later = Buffer.from(identity);
    later.writeBigUInt64LE(identity.readBigUInt64LE() + (1n << 22n));
    writeSync(file, later, 0, 8, 576);
    expect((await inspect(url)).details).toMatchObject({ producers: [{ pid, alive: false }] });
    writeSync(file, identity, 0, 8, 576);
  });
});

const SERVER = `
import os, socket, sys
path, kind = sys.argv[1:]
os.chdir(os.path.dirname(path))
bound = socket.socket(socket.AF_UNIX, getattr(socket, 'SOCK_' + kind))
bound.bind(path if sys.argv[2] != 'STREAM' else os.path.basename(path))
if kind != 'DGRAM': bound.listen()
print(os.fstat(bound.fileno()).st_ino, flush=True)
sys.stdin.read()
`;

describe('a Unix socket', () => {
  it.skipIf(noNet !== undefined).each(['STREAM', 'SEQPACKET', 'DGRAM'])(
    'of another network namespace is no dead one: %s',
    async (kind) => {
      const path = join(folder(), 'x');
      await started('unshare', ['--net', 'python3', '-c', SERVER, path, kind]);
      const { orphaned, remarks } = await inspect(`unix:${path}`);
      expect({ orphaned, remarks }).toMatchObject({
        orphaned: false,
        remarks: [expect.stringContaining('in another network namespace') as string],
      });
      const kept = await octoipc('rm', `unix:${path}`);
      expect(kept).toMatchObject({ status: 1, stderr: expect.stringContaining('EBUSY') as string });
      expect((await octoipc('rm', '--force', `unix:${path}`)).status).toBe(0);
    },
  );

  it('that receives datagrams is left alone as one that listens is, unless --force', async () => {
    const path = join(folder(), 'x');
    await started('python3', ['-c', SERVER, path, 'DGRAM']);
    const kept = await octoipc('rm', `unix:${path}`);
    expect(kept).toMatchObject({ status: 1, stderr: expect.stringContaining('EBUSY') as string });
    expect((await octoipc('rm', '--force', `unix:${path}`)).status).toBe(0);
  });

  it('that was bound to a relative path is listed by its inode, each by itself', async () => {
    const inodes = [];
    for (let i = 0; i < 2; i++) {
      inodes.push(await started('python3', ['-c', SERVER, join(folder(), 'relative'), 'STREAM']));
    }
    const { stdout } = await octoipc('ls', '-u', '-k', 'unix');
    expect(stdout).not.toContain('relative');
    for (const inode of inodes) {
      expect(stdout.split('\n')).toContain(`unix:[${inode}]`);
      expect((await inspect(`unix:[${inode}]`)).details).toMatchObject({ bound: 'relative' });
    }
  });
});

describe('octoipc ls', () => {
  const why =
    process.getuid?.() === 0 ? (noMounts ?? stranger()) : 'it takes root to become another user';
  if (why !== undefined) console.log(`hidepid is not tried: ${why}`);

  it.skipIf(why !== undefined).each(['1', '2'])(
    `calls nothing orphaned that processes may have which /proc hides: hidepid=%s (${why ?? 'as another user'})`,
    async (hidepid) => {
      const name = uniqueName();
      const path = mkdtempSync(join(tmpdir(), 'octoipc-cli-'));
      onTestFinished(() => rmSync(path, { recursive: true }));
      chmodSync(path, 0o755);
      await started('python3', [fixture('objects.py'), name, path]);
      const line = `mount -t proc -o hidepid=${hidepid} proc /proc && exec setpriv "$@"`;
      const args = [...asUser(VICTIM), process.execPath, command, 'ls', '--json', `*:/${name}`];
      const { stdout, stderr, status } = spawnSync(
        'unshare',
        ['--mount', 'sh', '-c', line, 'sh', ...args],
        { encoding: 'utf8' },
      );
      expect(status, stderr).toBe(0);
      const objects = JSON.parse(stdout) as { url: string; orphaned: boolean }[];
      expect(objects.map(({ url, orphaned }) => ({ url, orphaned }))).toEqual(
        expect.arrayContaining(
          ['sem', 'shm'].map((kind) => ({ url: `${kind}:/${name}`, orphaned: false })),
        ),
      );
    },
  );
});

/** Why nobody else can run the command. */
function stranger(): string | undefined {
  const args = [...asUser(VICTIM), process.execPath, command, '--version'];
  return spawnSync('setpriv', args).status === 0 ? undefined : 'another user cannot run it here';
}
