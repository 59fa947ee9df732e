import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';

import { PosixQueue } from '@octoipc/mq';
import { describe, expect, it, onTestFinished } from 'vitest';

import { command, octoipc, start } from './command.js';
import { folder, foreignObjects, ipcmk, lacks, ownObjects, uniqueName } from './objects.js';

const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];

/** Whether this user can be another, who can run the command where it is. */
function canBeNobody(): boolean {
  const args = [...NOBODY, process.execPath, command, '--version'];
  return process.getuid?.() === 0 && spawnSync('setpriv', args).status === 0;
}

type Details = Record<string, unknown>;

interface Inspection {
  readonly url: string;
  readonly orphaned: boolean;
  readonly details: Details;
  readonly temporary: { readonly pid: number } | null;
  readonly processes: readonly {
    readonly pid: number;
    readonly command: string;
    readonly fds: readonly { readonly fd: number; readonly access: string }[];
    readonly mapped: boolean;
  }[];
}

async function inspect(url: string): Promise<Inspection> {
  const { status, stdout, stderr } = await octoipc('inspect', '--json', url);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Inspection;
}

describe('octoipc inspect', () => {
  it('tells who has an object, and how', async () => {
    const [name, path] = [uniqueName(), folder()];
    const { made } = await foreignObjects(name, path);
    const { pid } = made;
    const holder = { pid, command: 'python3' };
    const queue = await inspect(`mq:/${name}`);
    expect(queue).toMatchObject({ messages: 2, processes: [holder], temporary: null });
    expect(queue.details).toMatchObject({ maxMessages: 4, maxMessageSize: 64, notifyPid: null });
    const semaphore = await inspect(`sem:/${name}`);
    expect(semaphore.details).toMatchObject({ value: 3, waiting: 0 });
    expect(semaphore.processes).toMatchObject([{ ...holder, mapped: true }]);
    const memory = await inspect(`shm:/${name}`);
    expect(memory.details['begins']).toContain('68 65 6c 6c 6f');
    expect(memory.processes).toMatchObject([
      // mmap has a descriptor of its own in Python.
      { ...holder, mapped: true, fds: [{ access: 'read and write' }, {}] },
    ]);
    const memfd = await inspect(`memfd:[${made.memfd}]`);
    expect(memfd.details).toMatchObject({ memfd: name, seals: ['seal'] });
    expect((await inspect(`pipe:[${made.pipe}]`)).details).toMatchObject({
      readers: [pid],
      writers: [pid],
    });
    expect((await inspect(`fifo:${path}/fifo`)).details).toMatchObject({ readers: [pid] });
    const socket = await inspect(`unix:${path}/socket`);
    expect(socket.details).toMatchObject({ type: 'stream', listening: true, connections: 1 });
    expect((await inspect(`unix:@${name}`)).details).toMatchObject({ type: 'dgram' });
  });

  it('tells who holds locks, and what a ring has', async () => {
    const name = uniqueName();
    const { made } = await ownObjects(name);
    const { pid } = made;
    const mutex = await inspect(`mutex:/${name}`);
    expect(mutex.details).toMatchObject({ owner: { pid, alive: true }, waiters: 0 });
    expect(mutex.temporary).toMatchObject({ pid });
    const rwlock = await inspect(`rwlock:/${name}`);
    expect(rwlock.details).toMatchObject({ owner: null, slots: [pid] });
    expect((await inspect(`barrier:/${name}`)).details).toMatchObject({ parties: 3, slots: [] });
    const ring = await inspect(`shm:/${name}-ring`);
    expect(ring).toMatchObject({ kind: 'ring', size: 8192 });
    expect(ring.details).toMatchObject({
      capacity: 4096,
      used: 16,
      consumer: { pid, alive: true },
      producers: [{ pid, alive: true, deaths: 0 }],
    });
    const news = await inspect(`shm:/${name}-news`);
    expect(news).toMatchObject({
      kind: 'broadcast',
      details: { messages: 1, producer: { pid } },
    });
    const value = await inspect(`shm:/${name}-value`);
    expect(value).toMatchObject({ kind: 'value', details: { current: 1, maxSize: 64 } });
    const queue = await inspect(`sysv-mq:id=${made.queue}`);
    expect(queue).toMatchObject({ messages: 2, processes: [{ pid }] });
    // MSG_COPY is a matter of the kernel's configuration.
    const { firstMessage } = queue.details as { firstMessage: { begins?: string } | string };
    const shown = typeof firstMessage === 'string' ? firstMessage : firstMessage.begins;
    expect(shown).toMatch(/MSG_COPY|\|first\|$/);
    // Nothing was taken.
    expect(await inspect(`sysv-mq:id=${made.queue}`)).toMatchObject({ messages: 2 });
  });

  it('tells values and waiting counts of a set, and takes ids and keys', async () => {
    const id = ipcmk('-S', '2');
    const { details, ...set } = await inspect(`sysv-sem:id=${id}`);
    const semaphore = { value: 0, waitingForIncrease: 0, waitingForZero: 0 };
    expect(details['semaphores']).toMatchObject([
      { index: 0, ...semaphore },
      { index: 1, ...semaphore },
    ]);
    expect(await inspect(set.url)).toMatchObject({ id });
    const text = await octoipc('inspect', set.url);
    expect(text.stdout).toContain('waiting for increase 0');
  });

  it('finds a queue that nobody has open, mounted or not, and so does watch', async () => {
    const url = `mq:/${uniqueName()}`;
    PosixQueue.open(url.slice(3), { create: true, mode: 0o640 }).close();
    onTestFinished(() => PosixQueue.unlink(url.slice(3)));
    const found = await inspect(url);
    expect(found).toMatchObject({ kind: 'mq', mode: 0o640, messages: 0, processes: [] });
    const watched = await octoipc('watch', '--count', '1', '--json', url);
    expect(JSON.parse(watched.stdout)).toMatchObject({ objects: [{ url, messages: 0 }] });
  });

  it.skipIf(!canBeNobody())(
    'tells another user what is refused, and no more than is known (as root, with setpriv)',
    async () => {
      const [name, path] = [uniqueName(), folder()];
      chmodSync(path, 0o755);
      await foreignObjects(name, path);
      const sysv = `sysv-mq:id=${ipcmk('-Q', '-p', '0600')}`;
      const run = (...args: string[]) =>
        spawnSync('setpriv', [...NOBODY, process.execPath, command, ...args], { encoding: 'utf8' });
      for (const url of [
        `mq:/${name}`,
        `sem:/${name}`,
        `shm:/${name}`,
        sysv,
        `fifo:${path}/fifo`,
      ]) {
        const { status, stderr } = run('rm', url);
        expect({ url, status }).toEqual({ url, status: 1 });
        expect(stderr).toMatch(/^octoipc rm: (?:EACCES|EPERM): /);
      }
      const listed = JSON.parse(run('ls', '--json', `*${name}*`).stdout) as object[];
      expect(listed).toContainEqual(
        expect.objectContaining({ url: `shm:/${name}`, uid: 0, holders: [], orphaned: false }),
      );
      const queue = run('inspect', `mq:/${name}`);
      expect(queue.status === 0 ? queue.stdout : queue.stderr).toMatch(/EACCES|0600/);
      // Root has it open, which nobody else can see.
      expect(run('inspect', `fifo:${path}/fifo`).stdout).toContain(
        'of those that may be looked at',
      );
    },
  );

  it.each([
    ['there is no such object', 'mq:/octoipc-no-such-queue', 1],
    ['there is no such id', 'sysv-shm:id=2147483647', 1],
    ['there is no such path', 'fifo:/octoipc/no/such/fifo', 1],
    ['a scheme is unknown', 'pigeon:/x', 2],
    ['there is no scheme', '/x', 2],
    ['a name has a slash within', 'sem:/a/b', 2],
    ['a name has none', 'shm:x', 2],
    ['a key is none', 'sysv-mq:0xzz', 2],
    ['a private key is asked for', 'sysv-mq:0', 2],
    ['an inode is none', 'pipe:3', 2],
    ['a NUL is in it', 'shm:/a%00b', 2],
    ['an escape plays with the terminal', 'x\u001b[2J:/', 2],
  ])('when %s ends with a message and the right status', async (_, url, expected) => {
    const { status, stdout, stderr } = await octoipc('inspect', url);
    expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
    expect(stderr).toMatch(/^octoipc inspect: /);
    expect(stderr).not.toMatch(/[\u001b\0]|^ +at /m);
  });
});

describe('octoipc rm', () => {
  it('removes objects of every kind, and tells who has them still', async () => {
    const [name, path] = [uniqueName(), folder()];
    const { made } = await foreignObjects(name, path);
    const own = uniqueName();
    await ownObjects(own);
    const sysv = [
      `sysv-mq:id=${ipcmk('-Q')}`,
      `sysv-sem:id=${ipcmk('-S', '1')}`,
      `sysv-shm:id=${ipcmk('-M', '1')}`,
    ];
    const posix = ['mq', 'sem', 'shm'].map((kind) => `${kind}:/${name}`);
    const locks = ['mutex', 'rwlock', 'condition', 'barrier'].map((kind) => `${kind}:/${own}`);
    const urls = [...sysv, ...posix, ...locks, `shm:/${own}-ring`, `fifo:${path}/fifo`];
    const { status, stdout } = await octoipc('rm', '--json', ...urls);
    const results = JSON.parse(stdout) as { removed: boolean; reason: string }[];
    expect(results.map(({ removed }) => removed)).toEqual(urls.map(() => true));
    expect(status).toBe(0);
    expect(results[4]!.reason).toContain('1 process has it still');
    const left = await octoipc('ls', '-u', `*${name}*`);
    expect(left.stdout).toBe(
      [`unix:${path}/socket`, `unix:@${name}`].filter((url) => url.includes(name)).join('\n') +
        '\n',
    );
    expect(made.pid).toBeGreaterThan(0);
  });

  it('goes on after one that is not there, with status 1', async () => {
    const [name, id] = [uniqueName(), ipcmk('-Q')];
    const args = ['rm', `mq:/${name}`, `shm:/${name}`, `sysv-mq:id=${id}`, `mutex:/${name}`];
    const { status, stdout, stderr } = await octoipc(...args);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^sysv-mq:\S+: removed$/m);
    expect(stderr.match(/^octoipc rm: ENOENT: /gm)).toHaveLength(3);
  });

  it('removes nothing when one URL is wrong', async () => {
    const id = ipcmk('-Q');
    expect(await octoipc('rm', `sysv-mq:id=${id}`, 'mq:x')).toMatchObject({ status: 2 });
    expect((await octoipc('inspect', `sysv-mq:id=${id}`)).status).toBe(0);
  });

  it('leaves a living server alone, unless --force, and removes what a dead one left', async () => {
    const [name, path] = [uniqueName(), folder()];
    const { child } = await foreignObjects(name, path);
    const url = `unix:${path}/socket`;
    expect(await octoipc('rm', url)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('EBUSY') as string,
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    onTestFinished(() => {
      // What the killed one left, being no program of ours.
      for (const kind of ['sem', 'shm']) spawnSync('rm', ['-f', leftover(kind, name)]);
    });
    expect((await inspect(url)).orphaned).toBe(true);
    expect((await octoipc('rm', url, `mq:/${name}`)).stdout).toContain(`${url}: removed`);
    expect((await octoipc('inspect', url)).status).toBe(1);
  });

  it('says that pipes and memfds have nothing to remove', async () => {
    const { made } = await foreignObjects(uniqueName(), folder());
    const { status, stderr } = await octoipc('rm', `memfd:[${made.memfd}]`, `pipe:[${made.pipe}]`);
    expect(status).toBe(1);
    expect(stderr.match(/EINVAL/g)).toHaveLength(2);
    expect(stderr).toContain(String(made.pid));
  });

  it.skipIf(process.getuid?.() !== 0 || lacks('setpriv') !== undefined)(
    "refuses another user's objects with status 1 (as root, with setpriv)",
    async () => {
      const id = ipcmk('-Q');
      const name = uniqueName();
      await foreignObjects(name, folder());
      const run = (...args: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(
          'setpriv',
          ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, ...args],
          { encoding: 'utf8' },
        );
      const reachable = run('--eval', `require('node:fs').readFileSync('${command}')`);
      if (reachable.status !== 0) return console.log('another user cannot reach this folder');
      const { status, stderr } = run(command, 'rm', `sysv-mq:id=${id}`, `shm:/${name}`);
      expect(status).toBe(1);
      expect(String(stderr).match(/^octoipc rm: (?:EPERM|EACCES): /gm)).toHaveLength(2);
      const listed = run(command, 'ls', '--json', `*${name}*`);
      const objects = JSON.parse(String(listed.stdout)) as { orphaned: boolean }[];
      expect(objects.length).toBeGreaterThan(0);
      for (const { orphaned } of objects) expect(orphaned).toBe(false);
    },
  );
});

describe('octoipc watch', () => {
  it('prints a look and what changed a second, a line of JSON each', async () => {
    const id = ipcmk('-Q');
    const watching = start(
      'watch',
      `sysv-mq:id=${id}`,
      '--json',
      '--count',
      '2',
      '--interval',
      '20',
    );
    const lines: string[] = [];
    let rest = '';
    const first = new Promise<void>((resolve) => {
      watching.stdout!.on('data', (chunk) => {
        rest += String(chunk);
        lines.splice(0, lines.length, ...rest.trim().split('\n'));
        resolve();
      });
    });
    await first;
    await new Promise((resolve) => watching.once('close', resolve));
    expect(watching.exitCode).toBe(0);
    const looks = lines.map((line) => JSON.parse(line) as { time: string; objects: Details[] });
    expect(looks).toHaveLength(2);
    expect(looks[0]!.objects).toMatchObject([{ id, messages: 0, rates: {} }]);
    expect(looks[1]!.objects).toMatchObject([{ id, rates: { messages: 0 } }]);
  });

  it('ends with 130 on SIGINT', async () => {
    const watching = start('watch', '--kind', 'mq', '--interval', '1m');
    await new Promise((resolve) => watching.stdout!.once('data', resolve));
    watching.kill('SIGINT');
    await new Promise((resolve) => watching.once('close', resolve));
    expect(watching.exitCode).toBe(130);
  });

  it('ends quietly when nobody reads any more', () => {
    const script = 'set -o pipefail; "$@" | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"';
    const args = [process.execPath, command, 'watch', '--kind', 'mq', '--interval', '20'];
    const said = execFileSync('bash', ['-c', script, 'bash', ...args], { encoding: 'utf8' });
    expect(said).toBe('0\n');
  });

  it.each([['0'], ['-1'], ['1'], ['soon'], ['']])('refuses the interval %j', async (interval) => {
    expect(await octoipc('watch', '--interval', interval)).toMatchObject({ status: 2, stdout: '' });
  });
});

/** The file of an object that its maker was killed with. */
function leftover(kind: string, name: string): string {
  return kind === 'sem' ? `/dev/shm/sem.${name}` : `/dev/shm/${name}`;
}
