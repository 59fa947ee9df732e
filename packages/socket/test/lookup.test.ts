import dns from 'node:dns/promises';

import { connect, listen } from '@octoipc/socket';
import { expect, onTestFinished, test, vi } from 'vitest';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

test('connect() is timed out and aborted while a name is looked up, and listen() aborted', async () => {
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(() => new Promise<never>(() => {}));
  onTestFinished(() => spy.mockRestore());
  const host = { host: 'never.example', port: 9 };
  await expect(connect(host, { timeout: 1 })).rejects.toThrow(failing('ETIMEDOUT'));
  for (const open of [connect, listen]) {
    const controller = new AbortController();
    const waiting = open(host, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  }
  expect(spy).toHaveBeenCalledTimes(3);
});

test('connect() that is aborted or timed out before it begins looks up no name', async () => {
  const spy = vi.spyOn(dns, 'lookup');
  onTestFinished(() => spy.mockRestore());
  const host = { host: 'never.example', port: 9 };
  await expect(connect(host, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  await expect(connect(host, { timeout: 0 })).rejects.toThrow(failing('ETIMEDOUT'));
  expect(spy).not.toHaveBeenCalled();
});

test('connect() rejects with what the lookup failed with', async () => {
  const cause = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  const spy = vi.spyOn(dns, 'lookup').mockRejectedValue(cause);
  onTestFinished(() => spy.mockRestore());
  await expect(connect({ host: 'never.example', port: 9 })).rejects.toMatchObject({
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    target: 'never.example',
    cause,
  });
});
