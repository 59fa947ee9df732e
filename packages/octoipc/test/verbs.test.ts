import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createPipe } from '@octoipc/pipe';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { reapAlone } from '../../core/test/reaping.js';
import { command, home, node, octoipc } from './command.js';
import { folder, uniqueName } from './objects.js';

const VERBS = [
  'tour',
  'ls',
  'inspect',
  'watch',
  'rm',
  'reap',
  'send',
  'recv',
  'choose',
  'doctor',
  'bench',
  'completion',
] as const;

describe('octoipc --help', () => {
  it('has every verb, and each has examples, exit statuses and --json', async () => {
    const { status, stdout } = await octoipc('--help');
    expect(status).toBe(0);
    const verbs = [...stdout.matchAll(/^ {2}([a-z]+) .*?\S/gm)].map(([, verb]) => verb);
    expect(verbs).toEqual([...VERBS, 'help']);
    expect(stdout).not.toContain('peer');
    const helps = await Promise.all(VERBS.map((verb) => octoipc(verb, '--help')));
    for (const [index, help] of helps.entries()) {
      const verb = VERBS[index]!;
      expect(help, verb).toMatchObject({ status: 0, stderr: '' });
      expect(help.stdout, verb).toMatch(new RegExp(`^ {2}.*octoipc ${verb}`, 'm'));
      expect(help.stdout, verb).toMatch(/^Examples:\n {2}\S/m);
      expect(help.stdout, verb).toMatch(/^Exit status:\n {2}0 {2}/m);
      expect(help.stdout, verb).toMatch(/^ {2}--json /m);
    }
  });

  it.each([
    ['an unknown verb', ['frobnicate']],
    ['a misspelt one', ['lst']],
    ['nothing', []],
    ['an unknown option', ['ls', '--frobnicate']],
    ['an unknown kind', ['ls', '--kind', 'pigeon']],
    ['a process that is none', ['ls', '--pid', 'x']],
    ['too many arguments', ['inspect', 'mq:/a', 'mq:/b']],
    ['no URL to remove', ['rm']],
    ['an unknown shell', ['completion', 'tcsh']],
    ['a size that is none', ['choose', '--size', '0']],
    ['one process', ['choose', '--processes', '1']],
    ['an unknown survival', ['choose', '--survive', 'everything']],
  ])('is pointed to with status 2 when the command gets %s', async (_, args) => {
    const { status, stdout, stderr } = await octoipc(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('--help');
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

describe('octoipc whose output nobody reads', () => {
  it.each([
    ['--help', 0],
    ['ls --help', 0],
    ['completion bash', 0],
    ['ls', 0],
    ['frobnicate', 2],
  ])('ends quietly: %s', async (line, expected) => {
    const { reader, writer } = createPipe();
    reader.close();
    const child = spawn(process.execPath, [command, ...line.split(' ')], {
      stdio: ['ignore', writer.fd, expected === 0 ? 'pipe' : writer.fd],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    writer.close();
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    expect(await once(child, 'close')).toEqual([expected, null]);
    expect(stderr).not.toMatch(/EPIPE|^ +at /m);
  });
});

describe('octoipc doctor', () => {
  it('tells what is there, with a remedy for what is wrong', async () => {
    const { status, stdout } = await octoipc('doctor', '--json');
    const findings = JSON.parse(stdout) as { name: string; level: string; remedy?: string }[];
    expect(status).toBe(0);
    const levels = new Map(findings.map(({ name, level }) => [name, level]));
    for (const name of ['kernel', 'libc', 'container', 'size of /dev/shm', 'kernel.msgmnb']) {
      expect(levels.has(name), name).toBe(true);
    }
    for (const name of ['pipe', 'fifo', 'mq', 'sem', 'shm', 'signal', 'socket', 'popen']) {
      expect(levels.get(`addon of @octoipc/${name}`), name).toBe('ok');
    }
    for (const { remedy, name } of findings.filter(({ level }) => level !== 'ok')) {
      expect(remedy, name).toMatch(/\S/);
    }
    expect((await octoipc('doctor')).stdout).toMatch(/\d+ as it should be/);
  });

  it('warns of a lock that a zombie holds, and says who has to wait for it', async () => {
    reapAlone();
    const name = uniqueName();
    const script = `import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
if not child.stdout.readline():
    sys.exit("it has made nothing")
child.kill()
child.stdout.read()
print(child.pid, flush=True)
sys.stdin.read()
child.wait()`;
    const fixture = join(home, 'test', 'fixtures', 'locks.mjs');
    const args = ['-c', script, process.execPath, fixture, `/${name}`];
    const parent = Peer.start('python3', args, { cwd: home });
    onTestFinished(async () => {
      parent.child.stdin?.end();
      await parent.ended;
      await octoipc('reap');
    });
    const pid = await parent.report<number>();
    // Its last thread ends a moment after its descriptors were closed.
    await vi.waitUntil(() => /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
    const { status, stdout } = await octoipc('doctor', '--json');
    const findings = JSON.parse(stdout) as { name: string; level: string }[];
    expect(findings.find((each) => each.name === `mutex:/${name}`)).toEqual({
      name: `mutex:/${name}`,
      level: 'warning',
      value: `held by ${pid}, a zombie`,
      remedy: expect.stringContaining('wait(2)') as string,
    });
    expect(status).toBe(0);
  });

  it('finds an addon that is missing, with status 1', async () => {
    // A copy of the installed packages, in which one of them was not built for this system.
    const copy = folder();
    const scope = join(copy, 'node_modules', '@octoipc');
    const packages = join(home, '..');
    const names = ['core', 'pipe', 'fifo', 'mq', 'sem', 'shm', 'signal', 'socket', 'popen'];
    for (const name of names) {
      const from = join(packages, name);
      if (name !== 'mq') cpLink(from, join(scope, name));
      else cpSync(join(from, 'dist'), join(scope, name, 'dist'), { recursive: true });
    }
    writeFileSync(
      join(scope, 'mq', 'package.json'),
      readFileSync(join(packages, 'mq', 'package.json')),
    );
    const own = join(copy, 'node_modules', 'octoipc');
    cpSync(join(home, 'dist'), join(own, 'dist'), { recursive: true });
    writeFileSync(join(own, 'package.json'), readFileSync(join(home, 'package.json')));
    for (const name of ['cli-table3', 'picocolors', 'string-width', 'commander'])
      linkTool(name, copy);
    const { status, stdout, stderr } = await node(join(own, 'dist', 'cli.js'), 'doctor', '--json');
    expect(stderr).toBe('');
    const findings = JSON.parse(stdout) as { name: string; level: string; remedy?: string }[];
    const finding = findings.find(({ name }) => name === 'addon of @octoipc/mq');
    expect(finding).toMatchObject({ level: 'broken', remedy: expect.any(String) as string });
    expect(status).toBe(1);
  });
});

describe('octoipc bench', () => {
  it('hands over to the runner of the repository', async () => {
    const { status, stderr } = await octoipc('bench', 'no-such-suite');
    expect(status).toBe(2);
    expect(stderr).toContain('usage: npm run bench');
  });
});

describe('octoipc choose', () => {
  interface Chosen {
    readonly recommended: string;
    readonly reason: string;
    readonly textbook: string;
    readonly candidates: readonly {
      readonly mechanism: string;
      readonly excluded: string | null;
      readonly measured: { readonly roundTrip: number; readonly messagesPerSecond: number } | null;
    }[];
    readonly code: { readonly sender: string; readonly receiver: string };
  }

  async function choose(...args: readonly string[]): Promise<Chosen> {
    const { status, stdout, stderr } = await octoipc('choose', '--json', '--quick', ...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout) as Chosen;
  }

  it('measures what can do it, and recommends one of those', async () => {
    const { recommended, candidates, textbook, reason } = await choose('--related');
    const byName = new Map(candidates.map((each) => [each.mechanism, each]));
    expect([...byName.keys()]).toHaveLength(8);
    expect(byName.get('tcp')!.excluded).toContain('port');
    for (const { mechanism, measured, excluded } of candidates.filter(
      (each) => each.mechanism !== 'tcp',
    )) {
      expect(excluded, mechanism).toBe(null);
      expect(measured!.roundTrip, mechanism).toBeGreaterThan(0);
      expect(measured!.messagesPerSecond, mechanism).toBeGreaterThan(0);
    }
    expect(byName.get(recommended)!.excluded).toBe(null);
    expect(reason).toMatch(/\d/);
    expect(textbook).toMatch(/^The textbooks say: pipes/);
    const left = await octoipc('ls', '--json', '--orphaned', '*octoipc-choose-*');
    expect(JSON.parse(left.stdout)).toEqual([]);
  });

  it.each([
    [['--survive', 'crash', '--keep-out', 'processes'], 'nats+jetstream'],
    [['--survive', 'restart'], 'nats+jetstream'],
    [['--no-same-machine'], 'tcp'],
    [['--keep-out', 'processes', '--size', '300000'], 'unix'],
  ])('given %j recommends %s, the only one that can do it', async (args, expected) => {
    const { recommended, candidates } = await choose(...args);
    expect(recommended).toBe(expected);
    const possible = candidates.filter(({ excluded }) => excluded === null);
    expect(possible.map(({ mechanism }) => mechanism)).toEqual(
      expected.startsWith('nats') ? [] : [expected],
    );
  });

  it('gives code that runs as it is pasted', async () => {
    const { code, recommended } = await choose(
      '--related',
      '--keep-out',
      'processes',
      '--size',
      '250000',
    );
    expect(['pipe', 'unix']).toContain(recommended);
    const path = folder();
    symlinkSync(join(home, '..', '..', 'node_modules'), join(path, 'node_modules'));
    const files = { receiver: join(path, 'receiver.mjs'), sender: join(path, 'sender.mjs') };
    const socket = join(path, 'example.sock');
    for (const side of ['receiver', 'sender'] as const) {
      writeFileSync(files[side], code[side].replaceAll('/tmp/example.sock', socket));
    }
    const script =
      recommended === 'pipe' ? '"$0" sender.mjs' : '"$0" receiver.mjs & "$0" sender.mjs; wait';
    const said = execFileSync('sh', ['-c', script, process.execPath], {
      cwd: path,
      encoding: 'utf8',
    });
    expect(said).toBe('hello\n');
  });
});

function cpLink(from: string, to: string): void {
  execFileSync('mkdir', ['-p', join(to, '..')]);
  symlinkSync(from, to);
  onTestFinished(() => rmSync(to, { force: true }));
}

/** A tool as npm has installed it for this package. */
function linkTool(name: string, copy: string): void {
  const places = [join(home, 'node_modules', name), join(home, '..', '..', 'node_modules', name)];
  const found = places.find((place) => spawnSync('test', ['-d', place]).status === 0);
  if (found !== undefined) cpLink(found, join(copy, 'node_modules', name));
}
