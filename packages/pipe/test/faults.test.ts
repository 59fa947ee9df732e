import { describe, expect, test } from 'vitest';

import { played, whyNoFaults } from './tracer.js';

const reason = whyNoFaults();
if (reason !== undefined) console.log(`skipped: ${reason}, so no system call can be made to fail`);

/** Scenes that wait. */
const WAITING = new Set(['firstWait', 'largeWrite', 'adopt']);

describe.skipIf(reason !== undefined)(
  'BIND-003 BIND-015: EINTR is retried and never surfaces',
  () => {
    test.each([
      ['create', 'pipe2', 'made'],
      ['read', 'read', 'data'],
      ['readSync', 'read', 'data'],
      ['write', 'write', 'data'],
      ['largeWrite', 'write', 100_000 - 65_536],
      ['poll', 'poll', false],
      ['capacity', 'fcntl', 131_072],
      ['available', 'ioctl', 4],
      ['adopt', 'fcntl,fstat,newfstatat,preadv2,pwritev2', 'data'],
      ['splice', 'splice', 4],
      ['tee', 'tee', 4],
      ['firstWait', 'epoll_wait,epoll_pwait', 'data'],
      ['threadSplice', 'fcntl', [4, 'data']],
    ])('%s, from %s', async (scene, calls, value) => {
      const { trace, ...report } = await played(scene, calls, 'error=EINTR:when=1..3');
      expect(trace).toContain('(INJECTED)');
      expect(report).toEqual({ value, left: report.left });
      // A first wait opens the one epoll set of this thread.
      expect(report.left).toBeLessThanOrEqual(WAITING.has(scene) ? 1 : 0);
    });
  },
);

describe.skipIf(reason !== undefined)(
  'BIND-015: a fault is a typed error, and nothing leaks',
  () => {
    test.each(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSYS'])(
      'PIPE-006 BIND-016: createPipe() with %s from pipe2',
      async (code) => {
        const { trace, ...report } = await played('create', 'pipe2', `error=${code}:when=1`);
        expect(trace).toContain(code);
        expect(report).toEqual({ name: 'IpcError', code, syscall: 'pipe2', left: 0 });
      },
    );

    test.each([
      ['read', 'read', 'EIO', 'read'],
      ['readSync', 'read', 'ENOMEM', 'read'],
      ['write', 'write', 'ENOMEM', 'write'],
      ['capacity', 'fcntl', 'ENOMEM', 'fcntl'],
      ['capacity', 'fcntl', 'EPERM', 'fcntl'],
      ['available', 'ioctl', 'ENOTTY', 'ioctl'],
      ['splice', 'splice', 'ENOMEM', 'splice'],
      ['tee', 'tee', 'ENOMEM', 'tee'],
      ['firstWait', 'epoll_create1', 'EMFILE', 'epoll_create1'],
      ['firstWait', 'epoll_create1', 'ENOMEM', 'epoll_create1'],
      ['threadSplice', 'eventfd2', 'EMFILE', 'splice'],
      ['threadSplice', 'eventfd2', 'ENFILE', 'splice'],
      // Whichever duplicate is refused first.
      ['threadSplice', 'fcntl', 'EMFILE', expect.stringMatching(/^(splice|fcntl)$/) as string],
      ['threadSplice', 'clone,clone3', 'EAGAIN', 'splice'],
      ['adopt', 'fstat,newfstatat', 'ENOMEM', 'fstat'],
    ])('%s with %s giving %s', async (scene, calls, code, syscall) => {
      // The event loop reads what wakes it, which may meet the fault in place of ours.
      for (let time = 1; ; time++) {
        const { trace, ...report } = await played(scene, calls, `error=${code}:when=${time}`);
        if (report.code === undefined && calls === 'read' && time < 3) continue;
        expect(trace).toContain('(INJECTED)');
        expect(report).toMatchObject({ name: 'IpcError', code, syscall, left: 0 });
        return;
      }
    });

    // A third write of this thread may be the event loop's own.
    test.each([1, 2])(
      'largeWrite with EIO from write no. %d tells what was written',
      async (time) => {
        const { name, code, bytesWritten, value } = await played(
          'largeWrite',
          'write',
          `error=EIO:when=${time}`,
        );
        // The pipe takes 65536 bytes first, then says that it is full.
        expect({ name, code, value }).toEqual({
          name: 'IpcError',
          code: 'EIO',
          value: undefined,
        });
        expect(bytesWritten).toBe(time === 1 ? 0 : 65_536);
      },
    );

    test.each(['ENOSPC', 'ENOMEM'])(
      'a wait with %s from epoll_ctl, and the next one works',
      async (code) => {
        const { value } = await played('laterWait', 'epoll_ctl', `error=${code}:when=1..2`);
        expect(value).toEqual([code, 'again']);
      },
    );

    test('a wait whose descriptor libuv cannot poll goes to the epoll set', async () => {
      const { value, trace } = await played('laterWait', 'epoll_ctl', 'error=ENOSPC:when=1');
      expect(trace).toContain('(INJECTED)');
      expect(value).toEqual(['x', 'again']);
    });

    test('a first wait whose loop cannot poll goes to the poller thread', async () => {
      // libuv asks epoll_ctl whether it can poll a descriptor before anything else does.
      const { value, trace } = await played('firstWait', 'epoll_ctl', 'error=EPERM:when=1');
      expect(trace).toContain('(INJECTED)');
      expect(value).toBe('data');
    });

    test('EAGAIN though something is there is waited out, not taken for nothing', async () => {
      for (const scene of ['read', 'readSync']) {
        expect(await played(scene, 'read', 'error=EAGAIN:when=1')).toMatchObject({ value: 'data' });
      }
      expect(await played('write', 'write', 'error=EAGAIN:when=1')).toMatchObject({
        value: 'data',
      });
    });

    test('PIPE-038: EINTR from close is no error, and close is not called again', async () => {
      const { value, trace } = await played('close', 'close', 'error=EINTR:when=1..4');
      const ours = value as number[];
      // Node may close one of its own in between; what comes after our two may be given their numbers anew.
      const closes = trace.match(/^close\(\d+.*/gm)?.map((call) => ({
        fd: parseInt(call.slice('close('.length), 10),
        failed: call.includes('(INJECTED)'),
      }));
      const first = closes?.filter(({ fd }) => ours.includes(fd)).slice(0, 2);
      expect(first).toEqual(ours.map((fd) => ({ fd, failed: true })));
    });
  },
);

describe.skipIf(reason !== undefined)('BIND-016: a kernel before 6.5', () => {
  test.each(['EOPNOTSUPP', 'ENOSYS'])(
    'PIPE-034: an adopted end works though preadv2 and pwritev2 give %s',
    async (code) => {
      const { trace, ...report } = await played(
        'adopt',
        'preadv2,pwritev2',
        `error=${code}:when=1+`,
      );
      expect(trace).toContain('(INJECTED)');
      expect(report.value).toBe('data');
    },
  );
});
