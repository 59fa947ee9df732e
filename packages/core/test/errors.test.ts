import { createRequire } from 'node:module';
import { constants } from 'node:os';

import { IpcError, isIpcError } from '@octoipc/core';
import {
  check,
  closedError,
  codeOfErrno,
  errnoOfCode,
  errorOf,
  tellBytesWritten,
  textOfCode,
} from '@octoipc/core/kit';
import { describe, expect, test } from 'vitest';

/** Errnos by their number on Linux that Node's own tables lack or call otherwise. */
const LACKING = {
  ECHILD: 10,
  EDEADLK: 35,
  ENOMSG: 42,
  EIDRM: 43,
  EBADMSG: 74,
  ENOTSUP: 95,
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
};

describe('codes', () => {
  test.each(Object.entries(LACKING))(
    'BIND-001: %s is the symbol of errno %d, and back',
    (code, errno) => {
      expect(codeOfErrno(errno)).toBe(code);
      expect(codeOfErrno(-errno)).toBe(code);
      expect(errnoOfCode(code)).toBe(-errno);
      expect(textOfCode(code)).not.toBe('unknown error');
    },
  );

  test('BIND-001: every errno that the system names has its symbol, number and text', () => {
    for (const [code, errno] of Object.entries(constants.errno)) {
      expect(errnoOfCode(code), code).toBe(-errno);
      const symbol = codeOfErrno(errno);
      expect(constants.errno[symbol as 'EAGAIN'], code).toBe(errno);
      expect(textOfCode(symbol), code).not.toBe('unknown error');
    }
  });

  test('BIND-001: an errno without a name is told by its number', () => {
    expect(codeOfErrno(500)).toBe('E500');
    expect(errnoOfCode('ERR_CLOSED')).toBeUndefined();
    expect(errorOf(-500, 'pipe2')).toMatchObject({ code: 'E500', syscall: 'pipe2' });
  });

  test.each(['ERR_CLOSED', 'ERR_TRUNCATED', 'ERR_UNSUPPORTED', 'ERR_FDS_TRUNCATED'])(
    '%s has words of its own and no errno',
    (code) => {
      const error = new IpcError(code);
      expect(textOfCode(code)).not.toBe('unknown error');
      expect(error.code).toBe(code);
      expect('errno' in error).toBe(false);
    },
  );
});

describe('IpcError', () => {
  test('BIND-001: has code, negative errno, syscall, target and hint, and says them', () => {
    const error = new IpcError('EAGAIN', { syscall: 'mq_send', target: '/jobs', hint: 'wait' });
    expect(error).toMatchObject({
      name: 'IpcError',
      code: 'EAGAIN',
      errno: -11,
      syscall: 'mq_send',
      target: '/jobs',
      hint: 'wait',
    });
    expect(error.message).toBe("EAGAIN: resource temporarily unavailable, mq_send '/jobs'");
    expect(error).toBeInstanceOf(Error);
  });

  test('what is not known is no property', () => {
    expect(Object.keys(new IpcError('EPIPE'))).toEqual(['code', 'errno']);
    expect(new IpcError('EPIPE', { target: 0 })).toMatchObject({ target: 0 });
    expect(new IpcError('EPIPE', { bytesWritten: 0 }).bytesWritten).toBe(0);
    const cause = new Error('below');
    expect(new IpcError('ERR_UNSUPPORTED', { cause }).cause).toBe(cause);
  });

  test('isIpcError tells it from others, and by its code', () => {
    const error = new IpcError('EPIPE');
    expect(isIpcError(error)).toBe(true);
    expect(isIpcError(error, 'EPIPE')).toBe(true);
    expect(isIpcError(error, 'EAGAIN')).toBe(false);
    const others = [
      new Error('x'),
      null,
      undefined,
      5,
      'EPIPE',
      { code: 'EPIPE', name: 'IpcError' },
    ];
    for (const other of others) expect(isIpcError(other)).toBe(false);
    expect(isIpcError(Object.assign(new Error('x'), { code: 'EPIPE' }))).toBe(false);
  });

  test('BIND-013 BIND-014: what is required is what is imported, not a copy', () => {
    const other = createRequire(import.meta.url)('@octoipc/core') as typeof import('@octoipc/core');
    const error = new other.IpcError('EPIPE');
    expect(other.IpcError).toBe(IpcError);
    expect(error).toBeInstanceOf(IpcError);
    expect(isIpcError(error, 'EPIPE')).toBe(true);
  });

  test('check passes values on and throws for -errno', () => {
    expect(check(0, 'read')).toBe(0);
    expect(check(7, 'read')).toBe(7);
    expect(() => check(-constants.errno.EMFILE, 'pipe2', { target: 3 })).toThrow(
      expect.objectContaining({ code: 'EMFILE', syscall: 'pipe2', target: 3 }) as Error,
    );
  });
});

test('check() throws ERR_UNSUPPORTED for what a binding has not on this system', () => {
  const error = errorOf(-4095, 'mq_open', { target: '/jobs' });
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', syscall: 'mq_open', target: '/jobs' });
  expect(error.errno).toBeUndefined();
  expect(() => check(-4095, 'mq_open')).toThrow(IpcError);
});

describe('tellBytesWritten()', () => {
  test('tells on the reason itself, also where that is an IpcError', () => {
    for (const reason of [new Error('mine'), new IpcError('EIO', { syscall: 'read' })]) {
      expect(tellBytesWritten(reason, 5)).toBe(reason);
      expect(reason).toHaveProperty('bytesWritten', 5);
      const other = tellBytesWritten(reason, 0);
      expect(other).toMatchObject({ code: 'ECANCELED', bytesWritten: 0, cause: reason });
    }
  });

  test('leaves a reason as it is that somebody else has, who had written nothing', () => {
    const reason = new Error('mine');
    expect(tellBytesWritten(reason, 0)).toBe(reason);
    expect(tellBytesWritten(reason, 0)).toBe(reason);
    const half = tellBytesWritten(reason, 5);
    expect(half).toMatchObject({ code: 'ECANCELED', bytesWritten: 5, cause: reason });
    expect(reason).not.toHaveProperty('bytesWritten');
  });

  test('does not pass on what another write has told', () => {
    const reason = new IpcError('EPIPE', { bytesWritten: 7 });
    const none = tellBytesWritten(reason, 0);
    expect(none).toMatchObject({ code: 'ECANCELED', bytesWritten: 0, cause: reason });
    expect(tellBytesWritten(reason, 7)).toBe(reason);
  });

  test('tells although the reason takes no property', () => {
    const reason = Object.freeze(new Error('mine'));
    const half = tellBytesWritten(reason, 5);
    expect(half).toMatchObject({ code: 'ECANCELED', bytesWritten: 5, cause: reason });
  });

  test('has ERR_CLOSED for all who wait, and tells each of them his own', () => {
    const closed = closedError({ syscall: 'write' });
    const half = tellBytesWritten(closed, 5);
    expect(half).toMatchObject({ code: 'ERR_CLOSED', syscall: 'write', bytesWritten: 5 });
    expect(tellBytesWritten(closed, 0)).toBe(closed);
    expect(closed).not.toHaveProperty('bytesWritten');
  });
});
