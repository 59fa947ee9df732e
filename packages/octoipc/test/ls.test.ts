import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { reapAlone } from '../../core/test/reaping.js';
import { command, octoipc } from './command.js';
import { folder, foreignObjects, ipcmk, lacks, ownObjects, rowsOf, uniqueName } from './objects.js';

interface Listed {
  readonly kind: string;
  readonly url: string;
  readonly id?: number;
  readonly key?: number;
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly size?: number;
  readonly messages?: number;
  readonly holders: readonly number[];
  readonly orphaned: boolean;
}

const FIELDS = ['kind', 'url', 'id', 'key', 'mode', 'uid', 'gid', 'size', 'messages', 'holders'];

/** `ls --json`, as objects by their URLs. */
async function list(...args: readonly string[]): Promise<Map<string, Listed>> {
  const { status, stdout, stderr } = await octoipc('ls', '--json', ...args);
  expect(status, stderr).toBe(0);
  expect(stderr).toBe('');
  const objects = JSON.parse(stdout) as Listed[];
  return new Map(objects.map((object) => [object.url, object]));
}

describe('octoipc ls --json', () => {
  it('has what a C program would make, with exactly the promised fields', async () => {
    const [name, path] = [uniqueName(), folder()];
    const { made } = await foreignObjects(name, path);
    const { pid } = made;
    const objects = await list('--pid', String(pid));
    const common = { uid: process.getuid!(), gid: process.getgid!(), holders: [pid] };
    const held = { ...common, orphaned: false };
    const bytes = objects.get(`mq:/${name}`)?.size;
    expect(objects.get(`mq:/${name}`)).toEqual({
      ...held,
      kind: 'mq',
      url: `mq:/${name}`,
      mode: 0o600,
      messages: 2,
      // Only the mqueue file system tells.
      ...(bytes === undefined ? {} : { size: 8 }),
    });
    const expected = {
      [`sem:/${name}`]: { kind: 'sem', mode: 0o600 },
      [`shm:/${name}`]: { kind: 'shm', mode: 0o600, size: 8192 },
      [`shm:[${made.unlinked}]`]: { kind: 'shm', mode: 0o600, size: 0 },
      [`memfd:[${made.memfd}]`]: { kind: 'memfd', size: 4096 },
      [`pipe:[${made.pipe}]`]: { kind: 'pipe', mode: 0o600 },
      [`fifo:${path}/fifo`]: { kind: 'fifo' },
      [`unix:${path}/socket`]: { kind: 'unix' },
      [`unix:@${name}`]: { kind: 'unix' },
      [`unix:[${made.pair}]`]: { kind: 'unix' },
    };
    for (const [url, parts] of Object.entries(expected)) {
      expect(objects.get(url), url).toMatchObject({ ...held, url, ...parts });
    }
    for (const object of objects.values()) {
      const others = Object.keys(object).filter((field) => !FIELDS.includes(field));
      expect(others).toEqual(['orphaned']);
    }
  });

  it('tells locks, rings and the like by what is in their memory', async () => {
    const name = uniqueName();
    const { made } = await ownObjects(name);
    const objects = await list('--pid', String(made.pid));
    const kinds = new Map([...objects.values()].map(({ url, kind }) => [url, kind]));
    expect(Object.fromEntries(kinds)).toMatchObject({
      [`mutex:/${name}`]: 'mutex',
      [`rwlock:/${name}`]: 'rwlock',
      [`condition:/${name}`]: 'condition',
      [`barrier:/${name}`]: 'barrier',
      [`shm:/${name}-ring`]: 'ring',
      [`shm:/${name}-news`]: 'broadcast',
      [`shm:/${name}-value`]: 'value',
    });
    expect([...kinds.keys()].filter((url) => url.startsWith('shm:/mutex'))).toEqual([]);
  });

  it('calls temporary objects orphaned once their owner was killed, and reap removes them', async () => {
    reapAlone();
    const name = uniqueName();
    const { child, made } = await ownObjects(name);
    const pattern = `*/${name}*`;
    const alive = await list(pattern);
    expect(alive.size).toBe(7);
    expect([...alive.values()].filter(({ orphaned }) => orphaned)).toEqual([]);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const dead = await list(pattern, '--orphaned');
    expect([...dead.keys()]).toEqual([...alive.keys()]);
    for (const { holders } of dead.values()) expect(holders).toEqual([]);

    const dry = await octoipc('reap', '--dry-run', '--json');
    const verdicts = (
      JSON.parse(dry.stdout) as { url: string; removed: boolean; reason: string }[]
    ).filter(({ url }) => url.includes(name));
    expect(verdicts.map(({ url }) => url).toSorted()).toEqual([...alive.keys()].toSorted());
    for (const { removed, reason } of verdicts) {
      expect(removed).toBe(true);
      expect(reason).toContain(String(made.pid));
    }
    expect((await list(pattern)).size).toBe(alive.size);
    expect((await octoipc('reap')).status).toBe(0);
    expect((await list(pattern)).size).toBe(0);
  });

  it.skipIf(lacks('ipcs', 'lsipc', 'ipcmk') !== undefined)(
    'agrees with ipcs and lsipc (skipped where util-linux is missing)',
    async () => {
      const ids = { q: ipcmk('-Q'), s: ipcmk('-S', '3'), m: ipcmk('-M', '4097') };
      const kinds = { q: 'sysv-mq', s: 'sysv-sem', m: 'sysv-shm' } as const;
      const idsOf = (kind: 'q' | 's' | 'm'): Set<number> =>
        new Set(
          rowsOf('ipcs', `-${kind}`)
            .filter(([key]) => key!.startsWith('0x'))
            .map(([, id]) => Number(id)),
        );
      for (const kind of ['q', 's', 'm'] as const) {
        // Other programs make and remove objects meanwhile: what was there all the time must be listed.
        const before = idsOf(kind);
        const objects = [...(await list('--kind', kinds[kind])).values()];
        const after = idsOf(kind);
        const listed = new Set(objects.map(({ id }) => id!));
        expect([...before].filter((id) => after.has(id) && !listed.has(id))).toEqual([]);
        const own = objects.find(({ id }) => id === ids[kind])!;
        const columns = ['-o', 'ID,KEY,PERMS,UID,GID', '--raw', '--noheadings'];
        const row = rowsOf('lsipc', `-${kind}`, ...columns).find(
          ([id]) => Number(id) === ids[kind],
        );
        const [, key, perms, uid, gid] = row!;
        expect(own.key).toBe(Number(key));
        expect(symbolic(own.mode!)).toBe(perms);
        expect([own.uid, own.gid].map(String)).toEqual([uid, gid]);
        expect(own.size).toBe({ q: 0, s: undefined, m: 4097 }[kind]);
      }
    },
  );

  it.skipIf(lacks('ss') !== undefined)(
    'agrees with ss about Unix sockets (skipped where iproute2 is missing)',
    async () => {
      const [name, path] = [uniqueName(), folder()];
      await foreignObjects(name, path);
      const sockets = (): Set<string> =>
        new Set(
          rowsOf('ss', '-xaHn').map(([, , , , local, inode]) =>
            local === '*' ? `unix:[${inode}]` : `unix:${local}`,
          ),
        );
      const before = sockets();
      const listed = await list('--kind', 'unix');
      const after = sockets();
      expect([...before].filter((url) => after.has(url) && !listed.has(url))).toEqual([]);
      const strange = [...listed.keys()].filter((url) => !before.has(url) && !after.has(url));
      // What came and went between the two can be in neither; what stays must be in one.
      const still = await list('--kind', 'unix');
      expect(strange.filter((url) => still.has(url) && !sockets().has(url))).toEqual([]);
      expect([...before].filter((url) => url.includes(name) || url.includes(path))).toHaveLength(2);
    },
  );

  it('agrees with /proc about the pipes of a process', async () => {
    const { made } = await foreignObjects(uniqueName(), folder());
    const links = readdirSync(`/proc/${made.pid}/fd`).map((fd) =>
      readlinkSync(`/proc/${made.pid}/fd/${fd}`),
    );
    const pipes = new Set(links.filter((link) => link.startsWith('pipe:')));
    const listed = await list('--kind', 'pipe', '--pid', String(made.pid));
    expect([...listed.keys()].toSorted()).toEqual([...pipes].toSorted());
  });

  it('lists 10,000 objects with one walk through /proc', async () => {
    const name = uniqueName();
    const files = Array.from({ length: 10_000 }, (_, index) => `/dev/shm/${name}-${index}`);
    onTestFinished(() => files.forEach((file) => rmSync(file, { force: true })));
    for (const file of files) writeFileSync(file, '');
    expect((await list(`shm:/${name}-*`)).size).toBe(10_000);
    const { status, stdout } = await octoipc('ls', `shm:/${name}-*`);
    expect(status).toBe(0);
    expect(stdout.match(new RegExp(name, 'g'))).toHaveLength(10_000);
  });

  it('does not mind objects that come and go while it looks', async () => {
    const script = `for (let i = 0; ; i++) {
      const file = '/dev/shm/${uniqueName()}-' + (i % 50);
      require('fs').writeFileSync(file, 'x'); require('fs').unlinkSync(file); }`;
    const child = spawn(process.execPath, ['--eval', script], { stdio: 'ignore' });
    onTestFinished(async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      for (const file of readdirSync('/dev/shm').filter((each) => each.startsWith('octoipc-cli-')))
        if (script.includes(file.replace(/-\d+$/, ''))) rmSync(`/dev/shm/${file}`);
    });
    for (let turn = 0; turn < 4; turn++) await list('--kind', 'shm');
  });
});

describe('octoipc ls', () => {
  it('never prints control characters of names, and its URLs work all the same', async () => {
    const name = `${uniqueName()}\u001b[31m\n\u202etxt`;
    writeFileSync(`/dev/shm/${name}`, '');
    onTestFinished(() => rmSync(`/dev/shm/${name}`, { force: true }));
    const { stdout } = await octoipc('ls', '--kind', 'shm');
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
    const url = [...(await list('--kind', 'shm')).keys()].find((each) => each.includes('%1B'))!;
    expect(url).toMatch(/%1B\[31m%0A%E2%80%AEtxt$/);
    expect(stdout).toContain(url);
    expect(await octoipc('rm', url)).toMatchObject({ status: 0 });
    expect((await list('--kind', 'shm')).has(url)).toBe(false);
  });

  it('has the path of a socket whole that has a line end in it', async () => {
    const path = `${folder()}/two\nlines \u001b[31m`;
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const urls = [...(await list('--kind', 'unix', '--pid', String(process.pid))).keys()];
    const url = urls.find((each) => each.includes('two'))!;
    expect(url).toMatch(/two%0Alines%20%1B\[31m$/);
    expect(await octoipc('inspect', url)).toMatchObject({ status: 0 });
  });

  it('ends quietly where head has read enough', async () => {
    const script = `set -o pipefail; "$0" "$1" ls | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, command], {
      encoding: 'utf8',
    });
    expect(stderr.replace(/^octoipc ls: POSIX queues.*\n/, '')).toBe('');
    expect(stdout).toMatch(/^(?:0|141)\n$/);
  });

  it('lists URLs one a line with --urls', async () => {
    const { made } = await foreignObjects(uniqueName(), folder());
    const { stdout } = await octoipc('ls', '-u', '-p', String(made.pid), '-k', 'memfd,pipe');
    expect(stdout.split('\n')).toContain(`memfd:[${made.memfd}]`);
    expect(stdout).toMatch(/^(?:\S+\n)+$/);
  });

  it.skipIf(process.getuid?.() !== 0 || lacks('unshare') !== undefined)(
    'lists queues that nobody has open where their file system is mounted (as root, with unshare)',
    () => {
      const name = uniqueName();
      const script = `mount -t mqueue none "$2" && : > "$2/${name}" &&
        "$0" "$1" ls --json --kind mq; rm -f "$2/${name}"`;
      const { stdout, stderr, status } = spawnSync(
        'unshare',
        ['--mount', 'sh', '-c', script, process.execPath, command, folder()],
        { encoding: 'utf8' },
      );
      if (/unshare|mount:/.test(stderr)) {
        console.log(`not allowed here: ${stderr}`);
        return;
      }
      expect(status, stderr).toBe(0);
      const own = (JSON.parse(stdout) as Listed[]).find(({ url }) => url === `mq:/${name}`);
      expect(own).toMatchObject({ holders: [], orphaned: true, messages: 0, size: 0 });
    },
  );
});

/** Permission bits as lsipc(1) has them. */
function symbolic(mode: number): string {
  return [6, 3, 0]
    .map((shift) => ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'][(mode >> shift) & 7])
    .join('');
}
