import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openReader } from '@octoipc/fifo';
import { PosixQueue } from '@octoipc/mq';
import { Barrier, Condition, Mutex, PosixSemaphore, RwLock } from '@octoipc/sem';
import { SharedMemory, ShmRing } from '@octoipc/shm';
import { listen } from '@octoipc/socket';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { uniqueName } from './objects.js';
import { attacks, refusal, REFUSED, sticky } from './other-user.js';

const why = refusal();
if (why !== undefined) console.log(`planted-names.test.ts is skipped: ${why}`);

describe.skipIf(why !== undefined)(`another user (${why ?? 'created here'})`, () => {
  test('plants names in sticky folders that are refused, never followed or used', async () => {
    const folder = sticky();
    const treasure = join(folder, 'treasure');
    writeFileSync(treasure, 'precious', { mode: 0o600 });
    const names = Array.from({ length: 4 }, uniqueName) as [string, string, string, string];
    const [link, fifo, file, lock] = names.map((name) => `/dev/shm/${name}`);
    onTestFinished(() => names.forEach((name) => rmSync(`/dev/shm/${name}`, { force: true })));
    const planted = {
      link: ['plant link', [treasure, link!]],
      fifo: ['plant fifo', fifo!],
      file: ['plant file', file!],
      lock: ['plant link', [treasure, lock!]],
      socket: ['plant link', [treasure, join(folder, 'socket')]],
      pipe: ['plant link', [treasure, join(folder, 'pipe')]],
      'own pipe': ['plant fifo', join(folder, 'own-pipe')],
    } as const;
    expect(new Set(Object.values(attacks(planted)))).toEqual(new Set(['done']));
    const create = { create: true, size: 64 } as const;
    for (const name of names.slice(0, 2)) {
      expect(codeNow(() => SharedMemory.open(`/${name}`, create))).toMatch(
        name === names[0] ? REFUSED : /^EINVAL$/,
      );
      expect(codeNow(() => ShmRing.create(`/${name}`, { capacity: 64 }))).toBe('EEXIST');
    }
    const exclusive = { ...create, exclusive: true };
    expect(codeNow(() => SharedMemory.open(`/${names[2]}`, exclusive))).toBe('EEXIST');
    expect(codeNow(() => SharedMemory.open(`/${names[3]}`, exclusive))).toBe('EEXIST');
    expect(codeNow(() => SharedMemory.file(join(folder, 'pipe')))).toBe('ELOOP');
    expect(await codeOf(() => listen({ path: join(folder, 'socket') }))).toBe('EADDRINUSE');
    expect(await codeOf(() => openReader(join(folder, 'pipe')))).toBe('ELOOP');
    const owned = openReader(join(folder, 'own-pipe'), { owner: 0 });
    expect(await codeOf(() => owned)).toBe('EPERM');
    expect(readFileSync(treasure, 'utf8')).toBe('precious');
  });

  test('plants names of queues, semaphores and locks that are refused, never followed or used', async () => {
    const folder = sticky();
    const treasure = join(folder, 'treasure');
    writeFileSync(treasure, 'precious', { mode: 0o600 });
    const [linked, own, queue] = Array.from({ length: 3 }, () => uniqueName()) as [
      string,
      string,
      string,
    ];
    const files = [linked, own].flatMap((name) =>
      ['sem', 'mutex', 'rwlock', 'condition', 'barrier'].map((kind) => `${kind}.${name}`),
    );
    onTestFinished(() => files.forEach((file) => rmSync(`/dev/shm/${file}`, { force: true })));
    onTestFinished(() => PosixQueue.unlink(`/${queue}`));
    const planted = Object.fromEntries([
      ['queue', ['plant queue', `/${queue}`]],
      ['lock of a path', ['plant link', [treasure, join(folder, 'socket.lock')]]],
      ...files.map((file) => [
        file,
        file.endsWith(linked)
          ? ['plant link', [treasure, `/dev/shm/${file}`]]
          : ['plant file', `/dev/shm/${file}`],
      ]),
    ]) as Parameters<typeof attacks>[0];
    expect(new Set(Object.values(attacks(planted)))).toEqual(new Set(['done']));
    const exclusive = { create: true, exclusive: true } as const;
    expect(codeNow(() => PosixQueue.open(`/${queue}`, exclusive))).toBe('EEXIST');
    const opened = (name: string, options: typeof exclusive | { readonly create: true }) => [
      codeNow(() => PosixSemaphore.open(`/${name}`, options)),
      codeNow(() => Mutex.open(`/${name}`, options)),
      codeNow(() => RwLock.open(`/${name}`, options)),
      codeNow(() => Condition.open(`/${name}`, options)),
      codeNow(() => Barrier.open(`/${name}`, { ...options, parties: 2 })),
    ];
    for (const code of opened(linked, { create: true })) expect(code).toMatch(REFUSED);
    for (const name of [linked, own]) {
      expect(new Set(opened(name, exclusive))).toEqual(new Set(['EEXIST']));
    }
    // What he has made is not what it should be: it is waited for, for a second, and refused.
    expect(codeNow(() => Mutex.open(`/${own}`, { create: true }))).toBe('EINVAL');
    const path = join(folder, 'socket');
    expect(await codeOf(() => listen({ path }, { reclaim: true }))).toMatch(REFUSED);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(treasure, 'utf8')).toBe('precious');
  });
});
