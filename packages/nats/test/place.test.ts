import { natsReceiver, natsSender } from '@octoipc/nats';
import { describe, expect, it } from 'vitest';

const refused = async (opening: Promise<unknown>): Promise<Error & { code: string }> =>
  (await opening.then(
    () => new Error('it was taken'),
    (error: unknown) => error,
  )) as Error & { code: string };

describe('natsSender() and natsReceiver() refuse before they connect, and show a good URL,', () => {
  it.each([
    'nats://127.0.0.1:4222',
    'nats://127.0.0.1:4222/',
    'nats:///jobs',
    'nats://127.0.0.1:0/jobs',
    'nats://127.0.0.1:70000/jobs',
    'nats://127.0.0.1/two words',
    'nats://127.0.0.1/jobs..urgent',
    'nats://127.0.0.1/>.jobs',
    'nats://%zz@127.0.0.1/jobs',
    'http://127.0.0.1/jobs',
  ])('%s', async (url) => {
    for (const open of [natsSender, natsReceiver]) {
      const error = await refused(open(url));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
      expect(error.message).toContain('nats://127.0.0.1:4222/jobs');
    }
  });

  it('wildcards in a subject that is sent to', async () => {
    expect((await refused(natsSender('nats://127.0.0.1/jobs.*'))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });

  it('what only JetStream has, without it', async () => {
    for (const option of [{ stream: 's' }, { ackWait: 1000 }, { acknowledge: 'manual' as const }]) {
      const error = await refused(natsReceiver('nats://127.0.0.1/jobs', option));
      expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
    }
  });

  it('numbers and names that are none', async () => {
    const url = 'nats+jetstream://127.0.0.1/jobs';
    expect((await refused(natsReceiver(url, { prefetch: 0 }))).code).toBe('ERR_OUT_OF_RANGE');
    expect((await refused(natsReceiver(url, { queue: 'a.b' }))).code).toBe('ERR_INVALID_ARG_VALUE');
    expect((await refused(natsReceiver(url, { queue: 1 as never }))).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect((await refused(natsSender(1 as never))).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('natsSender() and natsReceiver()', () => {
  it.each([
    { reconnectDelayHandler: 5 },
    { servers: [null] },
    { servers: 5 },
    { servers: 'ws://127.0.0.1:1' },
    { port: 5 },
    { inboxPrefix: Symbol('none') },
    { inboxPrefix: 'a.>' },
    { reconnectTimeWait: Symbol('none') },
  ])(
    'refuse %o in options.connection, as the client library does, as an argument',
    async (connection) => {
      for (const open of [natsSender, natsReceiver]) {
        const error = await refused(
          open('nats://127.0.0.1:1/jobs', { connection: connection as never }),
        );
        expect(error).toBeInstanceOf(TypeError);
        expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
        expect(error.message).toContain('options.connection');
      }
    },
  );
});

it('natsSender() rejects with ECONNREFUSED where no server answers, and tells no password', async () => {
  const error = (await refused(natsSender('nats://me:secret@127.0.0.1:1/jobs'))) as Error & {
    code: string;
    target: string;
    hint: string;
  };
  expect(error).toMatchObject({
    name: 'IpcError',
    code: 'ECONNREFUSED',
    target: 'nats://127.0.0.1:1/jobs',
  });
  expect(error.hint).toContain('nats-server');
  expect(JSON.stringify(error) + error.message).not.toContain('secret');
});

it.each([
  'nats://me:sec/ret@127.0.0.1/jobs',
  'nats://me:se@cret@127.0.0.1/jobs',
  'nats://me:secret@127.0.0.1:4222',
  'nast://me:secret@127.0.0.1/jobs',
  'me:secret@127.0.0.1/jobs',
])('natsSender() tells no password of what is no URL: %s', async (url) => {
  const { message } = await refused(natsSender(url));
  expect(message).toContain('127.0.0.1');
  expect(message).not.toMatch(/sec|ret/);
});

it('natsSender() that is aborted rejects with the reason', async () => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  expect(await refused(natsSender('nats://127.0.0.1:1/jobs', { signal }))).toBe(reason);
});
