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

test('listen() and connect() read their options and their address when they are called', async () => {
  let found = (): void => {};
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(async () => {
    await new Promise<void>((resolve) => (found = resolve));
    return [{ address: '127.0.0.1', family: 4 }] as never;
  });
  onTestFinished(() => spy.mockRestore());
  const options = { maxMessageSize: 100, authorize: () => true, keepAlive: { idle: 1000 } };
  const change = (): void => {
    Object.assign(options, { maxMessageSize: -1, authorize: () => false, type: 'none' });
    options.keepAlive.idle = -1;
    found();
  };
  const address = { host: 'here.example', port: 0 };
  const listening = listen(address, options);
  change();
  const server = await listening;
  onTestFinished(() => server.close());
  const { port } = server.address as { port: number };
  Object.assign(options, { maxMessageSize: 100, authorize: undefined, type: 'stream' });
  options.keepAlive.idle = 1000;
  const connecting = connect({ ...address, port }, options);
  change();
  const [client, served] = await Promise.all([connecting, server.accept({ timeout: 20_000 })]);
  onTestFinished(() => client.close());
  onTestFinished(() => served.close());
  expect([client.maxMessageSize, served.maxMessageSize]).toEqual([100, 100]);
});

test('connect() goes where its address was when it was called', async () => {
  const name = Buffer.from(`octoipc-lookup-${process.pid}-a`);
  const server = await listen({ abstract: Buffer.from(name) });
  onTestFinished(() => server.close());
  const address: { abstract: Uint8Array } = { abstract: name };
  const connecting = connect(address);
  name.fill('b');
  address.abstract = Buffer.from('nobody');
  (await connecting).close();
});
