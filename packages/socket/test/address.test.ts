import { Datagram, connect, listen, type Address } from '@octoipc/socket';
import { bind, close, connectSync, socket, AF_UNIX, SOCK_STREAM } from '@octoipc/socket/posix';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { descriptors } from '../../core/test/proc.js';
import { decodeAddress } from '../src/sockaddr.js';

/** What is no address, and how it is refused. */
const WRONG: readonly (readonly [unknown, string])[] = [
  [undefined, 'ERR_INVALID_ARG_TYPE'],
  [null, 'ERR_INVALID_ARG_TYPE'],
  [5, 'ERR_INVALID_ARG_TYPE'],
  [{}, 'ERR_INVALID_ARG_VALUE'],
  [[], 'ERR_INVALID_ARG_VALUE'],
  [{ path: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ abstract: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ host: 5, port: 1 }, 'ERR_INVALID_ARG_TYPE'],
];

const TOO_LONG = { path: `/tmp/${'x'.repeat(200)}` };

/** The sockets that this process has. */
const sockets = (): string[] =>
  [...descriptors().values()].filter((target) => target.startsWith('socket:'));

test.each([
  ['connect()', () => connect(TOO_LONG)],
  ['listen()', () => listen(TOO_LONG)],
  ['Datagram.connect()', () => Datagram.connect(TOO_LONG)],
  ['Datagram.bind()', () => Datagram.bind(TOO_LONG)],
])('%s of a path that is too long leaves no socket', async (_, work) => {
  const before = sockets();
  expect(await codeOf(work)).toBe('ENAMETOOLONG');
  expect(sockets()).toEqual(before);
});

describe.each(WRONG)('%o as an address', (wrong, code) => {
  const address = wrong as Address;

  test.each([
    ['connect()', () => connect(address)],
    ['listen()', () => listen(address)],
    ['Datagram.connect()', () => Datagram.connect(address)],
  ])('is refused by %s', async (_, work) => {
    const before = sockets();
    expect(await codeOf(work)).toBe(code);
    expect(sockets()).toEqual(before);
  });

  test('is refused by bind() and connectSync()', () => {
    const fd = socket(AF_UNIX, SOCK_STREAM);
    onTestFinished(() => close(fd));
    expect(codeNow(() => bind(fd, address as never))).toBe(code);
    expect(codeNow(() => connectSync(fd, address as never))).toBe(code);
  });
});

test('connect() and listen() take an address of a virtual machine', async () => {
  // Where there is no such thing the kernel says so.
  await expect(connect({ cid: 1, port: 9 }, { timeout: 0 })).rejects.toMatchObject({
    name: 'IpcError',
    code: expect.not.stringContaining('ARG'),
  });
  // No text can be made of such an object.
  for (const wrong of [
    { cid: Object.create(null), port: 9 },
    { cid: 1, port: Object.create(null) },
  ]) {
    for (const call of [connect, listen]) {
      await expect(call(wrong as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  }
});

test('an address that the kernel has cut is none, whatever its family', () => {
  const whole = new Uint8Array(28).fill(1);
  for (const [family, least] of [
    [2, 8],
    [10, 28],
    [40, 12],
  ] as const) {
    new Uint16Array(whole.buffer, 0, 1)[0] = family;
    for (let length = 0; length < least; length++) {
      expect(decodeAddress(whole.slice(0, length), length)).toBeNull();
      expect(decodeAddress(whole, length)).toBeNull();
    }
    expect(decodeAddress(whole, whole.length)).not.toBeNull();
  }
});
