import { closeSync, fstatSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';

import { codeOfErrno } from '@octoipc/core/kit';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeOf } from './failure.js';
import { kit, pipe } from './kit-binding.js';
import { CLOEXEC, descriptors, flagsOf, pipeEnds, until } from './proc.js';

const devNull = () => openSync('/dev/null', 'r');
const isOpen = (fd: number) => {
  try {
    return fstatSync(fd) !== undefined;
  } catch {
    return false;
  }
};

describe('errno', () => {
  test('BIND-001 BIND-002: every errno crosses as its own negative number', () => {
    for (const [code, errno] of Object.entries(constants.errno)) {
      expect(kit.fail(errno), code).toBe(-errno);
      expect(constants.errno[codeOfErrno(kit.fail(errno)) as 'EAGAIN'], code).toBe(errno);
    }
    for (let errno = 1; errno < 134; errno++) expect(kit.fail(errno)).toBe(-errno);
  });

  test('BIND-003: Retry calls again for EINTR, as often as it comes, and for nothing else', () => {
    for (const times of [0, 1, 5, 1000]) expect(kit.interrupted(times)).toBe(times + 1);
    expect(kit.interruptedThen(constants.errno.ENOSPC)).toBe(-constants.errno.ENOSPC);
    expect(kit.interruptedThen(constants.errno.EAGAIN)).toBe(-constants.errno.EAGAIN);
  });
});

describe('UniqueFd', () => {
  test('closes at the end of its scope, and when it is reset', () => {
    for (const close of ['closeByScope', 'closeByReset'] as const) {
      const fd = devNull();
      expect(kit[close](fd)).toBe(close === 'closeByScope' ? fd : -1);
      expect(isOpen(fd)).toBe(false);
    }
  });

  test('is moved, never copied: one owner closes, what an assignment replaces goes at once', () => {
    const [fd, replaced] = [devNull(), devNull()];
    expect(kit.closeByMove(fd, replaced)).toBe(0);
    expect([isOpen(fd), isOpen(replaced)]).toEqual([false, false]);
  });

  test('gives away what it releases', () => {
    const fd = devNull();
    onTestFinished(() => closeSync(fd));
    expect(kit.keptByRelease(fd)).toBe(fd);
    expect(isOpen(fd)).toBe(true);
  });

  test('BIND-002: a failing close leaves errno as it was', () => {
    expect(kit.errnoAfterClose()).toBe(constants.errno.EXDEV);
  });
});

test('Cleanup runs once at the end of its scope, and not when dismissed', () => {
  expect(kit.cleanedUp(false)).toBe(1);
  expect(kit.cleanedUp(true)).toBe(0);
});

describe('Environment', () => {
  test('PIPE-038: close() closes what it owns, once, and nothing else', () => {
    const { reader, writer } = pipe();
    expect(kit.close(reader)).toBe(0);
    const reused = devNull();
    onTestFinished(() => closeSync(reused));
    expect(reused).toBe(reader);
    expect(codeOfErrno(kit.close(reader))).toBe('EBADF');
    expect(isOpen(reused)).toBe(true);
    expect(kit.close(writer)).toBe(0);
    expect(codeOfErrno(kit.close(-1))).toBe('EBADF');
  });

  test('adopt() takes over what is open, close-on-exec, and refuses what it owns or is closed', () => {
    const fd = devNull();
    expect(kit.adopt(fd)).toBe(0);
    expect(codeOfErrno(kit.adopt(fd))).toBe('EEXIST');
    expect(kit.release(fd)).toBe(0);
    expect(codeOfErrno(kit.release(fd))).toBe('EBADF');
    expect(codeOfErrno(kit.close(fd))).toBe('EBADF');
    closeSync(fd);
    expect(codeOfErrno(kit.adopt(fd))).toBe('EBADF');
  });

  test('PIPE-003: adoptCopy() takes over a close-on-exec duplicate, and refuses what it owns or is closed', () => {
    const fd = devNull();
    const copy = kit.adoptCopy(fd);
    expect([copy === fd, isOpen(fd), flagsOf(copy) & CLOEXEC]).toEqual([false, true, CLOEXEC]);
    expect(codeOfErrno(kit.adoptCopy(copy))).toBe('EEXIST');
    closeSync(fd);
    expect(codeOfErrno(kit.adoptCopy(fd))).toBe('EBADF');
    expect(kit.close(copy)).toBe(0);
    expect(isOpen(copy)).toBe(false);
  });

  test('PIPE-003: adopt() makes an inheritable descriptor close-on-exec, release() leaves it so', () => {
    const fd = devNull();
    onTestFinished(() => closeSync(fd));
    kit.setInheritable(fd);
    expect(flagsOf(fd) & CLOEXEC).toBe(0);
    kit.adopt(fd);
    expect(flagsOf(fd) & CLOEXEC).toBe(CLOEXEC);
    kit.release(fd);
    expect(flagsOf(fd) & CLOEXEC).toBe(CLOEXEC);
  });

  test('BIND-011: what a worker left open is closed with it, what others own is not', async () => {
    const { reader, writer } = pipe();
    onTestFinished(() => void (kit.close(reader), kit.close(writer)));
    const before = pipeEnds();
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const kit = require(workerData);
       for (let i = 0; i < 50; i++) kit.pipe(new Int32Array(2));
       parentPort.postMessage('open');
       setInterval(() => {}, 1000);`,
      {
        eval: true,
        workerData: new URL('../build/Release/kit_test.node', import.meta.url).pathname,
      },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    expect(pipeEnds()).toBeGreaterThanOrEqual(before + 100);
    await worker.terminate();
    await until(() => pipeEnds() <= before);
    expect([isOpen(reader), isOpen(writer)]).toEqual([true, true]);
  });

  test('one environment per worker: an index of one is nothing in another', async () => {
    const index = kit.threadStart(kit.none, 5);
    onTestFinished(() => void kit.drop(index));
    expect(index).toBeGreaterThanOrEqual(0);
    const worker = new Worker(
      `const { parentPort, workerData: [addon, index] } = require('node:worker_threads');
       const kit = require(addon);
       parentPort.postMessage([kit.threadResult(index), kit.threadCancel(index), kit.drop(index)]);`,
      {
        eval: true,
        workerData: [new URL('../build/Release/kit_test.node', import.meta.url).pathname, index],
      },
    );
    const results = await new Promise((resolve) => worker.once('message', resolve));
    const { EBADF } = constants.errno;
    expect(results).toEqual([-EBADF, -EBADF, 0]);
    await until(() => kit.threadResult(index) === 5);
  });

  test('an index that is none is EBADF, never a crash', async () => {
    for (const index of [-1, 1000, 2 ** 31 - 1]) {
      expect(codeOfErrno(kit.threadResult(index))).toBe('EBADF');
      expect(codeOfErrno(kit.readinessAdd(index, 0, 0))).toBe('EBADF');
      expect(kit.drop(index)).toBe(0);
    }
    expect(await codeOf(() => kit.threadResult(0.5))).toBe('ERR_INVALID_ARG_TYPE');
    expect(descriptors().size).toBeGreaterThan(0);
  });
});
