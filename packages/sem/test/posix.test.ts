import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PosixSemaphore } from '@octoipc/sem';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { asNobody } from '../../core/test/stranger.js';
import { freshName, isPending, semaphore } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const MOST = 0x7fff_ffff;
const code = (name: string) => expect.objectContaining({ code: name }) as Error;

/** A file in /dev/shm, for one test. */
function file(name: string, content: Uint8Array): void {
  const path = `/dev/shm/sem.${name.slice(1)}`;
  writeFileSync(path, content);
  onTestFinished(() => rmSync(path, { force: true }));
}

describe('PosixSemaphore.withPermit()', () => {
  test('gives the permit back, and what the function gives or throws, though it closed the semaphore', async () => {
    const made = semaphore({ value: 1 });
    expect(await made.withPermit(() => made.value)).toBe(0);
    const thrown = new Error('of the function');
    await expect(made.withPermit(() => Promise.reject(thrown))).rejects.toBe(thrown);
    expect(made.value).toBe(1);
    const closing = made.withPermit(() => {
      made.close();
      throw thrown;
    });
    await expect(closing).rejects.toBe(thrown);
  });
});

describe('PosixSemaphore.open()', () => {
  test('SEM-001: creates 32 bytes with the value', () => {
    const name = freshName();
    expect(semaphore({ value: 3 }, name).value).toBe(3);
    expect(statSync(`/dev/shm/sem.${name.slice(1)}`).size).toBe(32);
  });

  test('SEM-004: leaves value and mode of what is there', () => {
    const name = freshName();
    semaphore({ value: 3, mode: 0o640 }, name);
    expect(semaphore({ value: 5, mode: 0o600 }, name).value).toBe(3);
    const info = PosixSemaphore.list().find((one) => one.name === name);
    expect(info).toMatchObject({ mode: 0o640, value: 3 });
  });

  test('SEM-005 SEM-034: refuses values over SEM_VALUE_MAX', () => {
    expect(() => semaphore({ value: MOST + 1 })).toThrow(code('ERR_OUT_OF_RANGE'));
    const memory = new SharedArrayBuffer(32);
    expect(() => PosixSemaphore.at(memory, 0, { init: true, value: MOST + 1 })).toThrow(
      code('ERR_OUT_OF_RANGE'),
    );
    expect(semaphore({ value: MOST }).value).toBe(MOST);
  });

  test('SEM-006 SEM-007 SEM-030: takes names of 251 bytes, and refuses what is no name', () => {
    const longest = `/${'n'.repeat(250)}`;
    semaphore({}, longest);
    expect(() => semaphore({}, `${longest}n`)).toThrow(code('ENAMETOOLONG'));
    expect(() => PosixSemaphore.unlink(`${longest}n`)).toThrow(code('ENAMETOOLONG'));
    for (const name of ['', '/', '/a/b', 'noslash', '/..', '/.']) {
      expect(() => semaphore({}, name)).toThrow(code('ERR_INVALID_ARG_VALUE'));
    }
  });

  test('SEM-008 SEM-026: gives handles that are closed one by one; the value stays', () => {
    const name = freshName();
    const first = semaphore({ value: 1 }, name);
    const second = semaphore({}, name);
    second.release();
    second.close();
    expect(first.value).toBe(2);
    first.close();
    expect(semaphore({}, name).value).toBe(2);
  });

  test('SEM-010: sets the mode exactly, whatever the umask', () => {
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    const name = freshName();
    semaphore({ mode: 0o666 }, name);
    expect(statSync(`/dev/shm/sem.${name.slice(1)}`).mode & 0o777).toBe(0o666);
  });

  test('SEM-011: keeps no descriptor, and one mapping until close()', () => {
    const name = freshName();
    const mapped = () => readFileSync('/proc/self/maps', 'utf8').split(name.slice(1)).length - 1;
    const open = semaphore({}, name);
    // The file had no name when it was mapped.
    const other = PosixSemaphore.open(name);
    expect(mapped()).toBe(1);
    other.close();
    open.close();
    expect(mapped()).toBe(0);
  });

  test('refuses files that are no semaphores', () => {
    const name = freshName();
    for (const content of [Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(32, 7)]) {
      file(name, content);
      expect(() => PosixSemaphore.open(name)).toThrow(code('EINVAL'));
    }
    const link = freshName();
    symlinkSync('/etc/passwd', `/dev/shm/sem.${link.slice(1)}`);
    onTestFinished(() => rmSync(`/dev/shm/sem.${link.slice(1)}`));
    expect(() => PosixSemaphore.open(link)).toThrow(code('ELOOP'));
  });

  test('waits for a semaphore that is being made, and not for ever', () => {
    const name = freshName();
    file(name, Buffer.alloc(0));
    expect(() => PosixSemaphore.open(name)).toThrow(code('EINVAL'));
  });

  test('waits until a semaphore that is being made is whole', async () => {
    const name = freshName();
    file(name, Buffer.alloc(0));
    const path = `/dev/shm/sem.${name.slice(1)}`;
    const whole = 'import sys,time\nprint("ready",flush=True)\nsys.stdin.readline()\n';
    const make = `${whole}open(${JSON.stringify(path)},"r+b").write(bytes([9,0,0,0,0,0,0,0,128]+[0]*23))`;
    const peer = Peer.start('python3', ['-c', make]);
    await peer.line();
    peer.tell('go');
    expect(PosixSemaphore.open(name).value).toBe(9);
  });

  test('SEM-027 SEM-028: unlink() leaves it to those who have it, even to those who wait', async () => {
    const name = freshName();
    const old = semaphore({}, name);
    const other = PosixSemaphore.open(name);
    const wait = old.acquire();
    PosixSemaphore.unlink(name);
    expect(() => PosixSemaphore.unlink(name)).toThrow(code('ENOENT'));
    const fresh = semaphore({ exclusive: true, value: 1 }, name);
    fresh.release();
    expect(await isPending(wait)).toBe(true);
    other.release();
    await wait;
    other.close();
    expect(fresh.value).toBe(2);
  });
});

describe('PosixSemaphore', () => {
  test('SEM-018: release() over SEM_VALUE_MAX is EOVERFLOW, and changes nothing', () => {
    const made = semaphore({ value: MOST - 1 });
    expect(() => made.release(2)).toThrow(code('EOVERFLOW'));
    expect(made.value).toBe(MOST - 1);
    made.release();
    expect(() => made.release()).toThrow(code('EOVERFLOW'));
    expect(made.value).toBe(MOST);
  });

  test('SEM-020 SEM-021 SEM-023: deadlines are of the monotonic clock; bad ones are refused', async () => {
    const made = semaphore();
    const begin = performance.now();
    expect(() => made.acquireSync({ timeout: 25 })).toThrow(code('ETIMEDOUT'));
    expect(performance.now() - begin).toBeGreaterThanOrEqual(25);
    expect(() => made.acquireSync({ timeout: -1 })).toThrow(code('ERR_OUT_OF_RANGE'));
    made.release();
    made.acquireSync({ timeout: 0 }).release();
    await made.acquire({ timeout: 0 });
  });

  test('SEM-024 SEM-025: the value is 0 while somebody waits, and looking does not change it', async () => {
    const made = semaphore({ value: 1 });
    expect([made.value, made.value]).toEqual([1, 1]);
    await made.acquire();
    const wait = made.acquire();
    expect(made.value).toBe(0);
    made.release();
    await wait;
  });

  test('SEM-038 SEM-039: of 1,000 waits every second is aborted; the others get all, in order', async () => {
    const made = semaphore();
    const aborts: AbortController[] = [];
    const order: number[] = [];
    const waits = Array.from({ length: 1000 }, (_, index) => {
      const controller = new AbortController();
      aborts.push(controller);
      return made.acquire({ signal: controller.signal }).then(
        () => order.push(index),
        () => -1,
      );
    });
    await Promise.all([stat('/'), stat('/'), stat('/'), stat('/'), stat('/')]);
    for (let i = 0; i < 1000; i += 2) aborts[i]?.abort();
    made.release(300);
    made.release(200);
    await Promise.all(waits);
    expect(order).toEqual(Array.from({ length: 500 }, (_, index) => 2 * index + 1));
    expect(made.value).toBe(0);
  });

  test('SEM-012 SEM-014 SEM-017: permits cross processes, each wakes one', async () => {
    const name = freshName();
    const made = semaphore({}, name);
    const peers = [1, 2].map(() => Peer.node(fixture, ['acquire', name]));
    const lines = peers.map((peer) => peer.line());
    made.release();
    await Promise.race(lines);
    expect(made.value).toBe(0);
    made.release();
    expect(await Promise.all(lines)).toEqual(['acquired', 'acquired']);
    peers[0]?.tell('release');
    await made.acquire();
  });

  test('SEM-031: what a process held that is killed is lost', async () => {
    const name = freshName();
    const made = semaphore({ value: 1 }, name);
    const peer = Peer.node(fixture, ['acquire', name]);
    await peer.line();
    peer.child.kill('SIGKILL');
    await peer.ended;
    expect(made.tryAcquire()).toBeNull();
  });

  test('SEM-015 SEM-022 SEM-041: blocking outlasts signals, SIGSTOP and SIGCONT', async () => {
    const name = freshName();
    const made = semaphore({}, name);
    const script = `
      import { PosixSemaphore } from '@octoipc/sem';
      process.on('SIGUSR2', () => {});
      const made = PosixSemaphore.open('${name}');
      console.log('ready');
      made.acquireSync();
      console.log('acquired');`;
    const peer = Peer.start(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('..', import.meta.url),
    });
    await peer.line();
    for (const signal of ['SIGUSR2', 'SIGSTOP', 'SIGCONT', 'SIGUSR2'] as const) {
      peer.child.kill(signal);
    }
    made.release();
    expect(await peer.line()).toBe('acquired');
  });

  test('SEM-035: 8 processes count up 500 times each, and lose nothing', async () => {
    const name = freshName();
    semaphore({ value: 1 }, name);
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-sem-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const count = join(folder, 'count');
    writeFileSync(count, Buffer.alloc(4));
    const peers = Array.from({ length: 8 }, () =>
      Peer.node(fixture, ['increment', name, count, 500]),
    );
    for (const peer of peers) expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(count).readInt32LE()).toBe(4000);
  }, 60_000);

  test('SEM-040: everything on a closed handle is ERR_CLOSED', async () => {
    const made = semaphore({ value: 1 });
    const permit = await made.acquire();
    made.close();
    for (const use of [
      () => made.value,
      () => made.tryAcquire(),
      () => made.acquireSync(),
      () => made.release(),
      () => permit.release(),
    ]) {
      expect(use).toThrow(code('ERR_CLOSED'));
    }
  });
});

describe('PosixSemaphore.at()', () => {
  test('SEM-033: is in memory that others see', () => {
    const memory = new SharedArrayBuffer(128);
    const made = PosixSemaphore.at(memory, 64, { init: true, value: 2 });
    const other = PosixSemaphore.at(new Uint8Array(memory, 32), 32);
    other.release();
    expect(made.value).toBe(3);
    made.close();
    other.close();
  });

  test('refuses memory that is too small, misaligned, closed, or without a semaphore', () => {
    const memory = new SharedArrayBuffer(64);
    expect(() => PosixSemaphore.at(memory, 40, { init: true })).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => PosixSemaphore.at(memory, 4, { init: true })).toThrow(code('ERR_OUT_OF_RANGE'));
    // With musl 32 zeros are a semaphore.
    expect(() =>
      PosixSemaphore.at(new Uint8Array(new SharedArrayBuffer(64)).fill(0xff), 0),
    ).toThrow(code('EINVAL'));
    expect(() => PosixSemaphore.at({} as never, 0)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    expect(() => PosixSemaphore.at({ buffer: memory, closed: true }, 0)).toThrow(
      code('ERR_CLOSED'),
    );
    const gone = new ArrayBuffer(64);
    structuredClone(gone, { transfer: [gone] });
    expect(() => PosixSemaphore.at(gone, 0, { init: true })).toThrow(code('ERR_CLOSED'));
  });
});

test('an unprivileged user is refused: SEM-009 SEM-029', (context) => {
  context.skip(process.geteuid?.() !== 0, 'it takes root to become somebody else');
  const name = freshName();
  semaphore({}, name);
  for (const use of ['open', 'unlink'] as const) {
    expect(asNobody(() => codeNow(() => PosixSemaphore[use](name)))).toBe('EACCES');
  }
});
