import { spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { ShmRing } from '@octoipc/shm';
import { schemes } from 'octoipc';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { missing, NatsServer, titled } from '../../nats/test/server.js';
import { folder, freshKey, freshName } from './channel-places.js';
import { command, home, octoipc } from './command.js';

/** The README's own programs, which take their URL from the command line. */
const [producer, consumer] = [
  ...readFileSync(join(home, 'README.md'), 'utf8').matchAll(/^```js no-run\n([\s\S]*?)^```$/gm),
].map(([, code]) => code!) as [string, string];

interface Program {
  readonly status: number | null;
  readonly said: string;
}

const argumentsOf = (code: string, url: string): string[] => [
  '--input-type=module',
  '--eval',
  code,
  url,
];

function run(code: string, url: string, stdio: StdioOptions = ['ignore', 'pipe', 'inherit']) {
  const child = spawn(process.execPath, argumentsOf(code, url), { cwd: home, stdio });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += String(chunk)));
  const ended = once(child, 'close').then(([status]: unknown[]): Program => ({
    status: status as number | null,
    said,
  }));
  return { child, ended };
}

const GOOD = { status: 0, said: 'the sum of all jobs is 55\n' };

async function expectJobs(url: string): Promise<void> {
  const [taking, giving] = [run(consumer, url), run(producer, url)];
  expect(await taking.ended).toEqual(GOOD);
  expect((await giving.ended).status).toBe(0);
}

/** Each scheme with a URL of its own, and what is left behind. */
const URLS: Readonly<Record<string, () => string>> = {
  fifo: () => `fifo:${folder()}/jobs`,
  mq() {
    const name = freshName();
    onTestFinished(() => PosixQueue.unlink(name));
    return `mq:${name}`;
  },
  'sysv-mq'() {
    const key = freshKey();
    onTestFinished(() => SysvQueue.open(Number(key)).remove());
    return `sysv-mq:${key}`;
  },
  shm() {
    const name = freshName();
    onTestFinished(() => ShmRing.unlink(name));
    return `shm:${name}`;
  },
  unix: () => `unix:${folder()}/jobs`,
  'unix+seqpacket': () => `unix+seqpacket:${folder()}/jobs`,
  'unix+dgram': () => `unix+dgram:${folder()}/jobs`,
  tcp: () => `tcp://127.0.0.1:${20_000 + (process.pid % 10_000)}`,
};

describe('the producer and the consumer of the README', () => {
  it.each(Object.keys(URLS))('run over %s:', async (scheme) => {
    await expectJobs(URLS[scheme]!());
  });

  it('run over pipe:', async () => {
    // The consumer's end is on its descriptor 3; a shell makes the pipe.
    const line = `"$0" --input-type=module --eval "$1" pipe:4 4>&1 >&2 | "$0" --input-type=module --eval "$2" pipe:3 3<&0`;
    const args = ['-c', line, process.execPath, producer, consumer];
    const child = spawn('sh', args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
    const [status] = (await once(child, 'close')) as [number];
    expect({ status, said }).toEqual(GOOD);
  });

  it('run over popen:', async () => {
    const quoted = argumentsOf(producer, 'pipe:1').map(
      (arg) => `'${arg.replaceAll("'", `'\\''`)}'`,
    );
    const url = `popen:exec '${process.execPath}' ${quoted.join(' ')}`;
    expect(await run(consumer, url).ended).toEqual(GOOD);
  });

  describe.skipIf(missing !== undefined)(titled('beyond the machine'), () => {
    let server: NatsServer;
    beforeAll(async () => {
      server = await NatsServer.open({ jetstream: true });
    });
    afterAll(() => server.end());

    it('run over nats+jetstream:, in either order', async () => {
      const url = server.url('jobs');
      expect((await run(producer, url).ended).status).toBe(0);
      expect(await run(consumer, url).ended).toEqual(GOOD);
    });

    it('octoipc recv acknowledges what it has printed', async () => {
      const url = server.url('printed');
      const sent = spawnSync(process.execPath, [command, 'send', '-c', url], { input: 'a\nb\n' });
      expect(sent.status).toBe(0);
      for (const stdout of ['a\n', 'b\n']) {
        expect(await octoipc('recv', '-q', '-n', '1', url)).toEqual({
          status: 0,
          stdout,
          stderr: '',
        });
      }
    });

    it('the consumer runs over nats: when it is there first', async () => {
      const url = server.url('news', 'nats');
      const taking = run(consumer, url);
      // Who is not there yet gets nothing: the jobs are sent until they are taken.
      const again = async (): Promise<Program> =>
        run(producer, url).ended.then(() => Promise.race([taking.ended, again()]));
      expect((await again()).status).toBe(0);
    });
  });

  it('are tried over every scheme', () => {
    const tried = [...Object.keys(URLS), 'pipe', 'popen', 'nats', 'nats+jetstream'];
    expect(tried.toSorted()).toEqual(schemes().toSorted());
  });
});
