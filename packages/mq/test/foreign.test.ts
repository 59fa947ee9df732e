import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SysvQueue } from '@octoipc/mq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { isPending, posix, sysv } from './queues.js';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-mq-'));
const program = join(folder, 'mq-peer');
const path = (file: string): string => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));

const PERL = `
my ($id, @message) = @ARGV;
if (@message) { msgsnd($id, pack("l! a*", $message[1], $message[0]), 0) or die $!; exit }
msgrcv($id, my $buffer, 8192, 0, 0) or die $!;
my ($type, $text) = unpack("l! a*", $buffer);
print "$type $text\\n";
`;

/** Peers: `PEER QUEUE` receives a message and says `KIND TEXT`, `PEER QUEUE TEXT KIND` sends one. */
const peers = {
  C: { tool: 'cc', command: [program], kinds: ['posix', 'sysv'] },
  python: { tool: 'python3', command: ['python3', path('mq-peer.py')], kinds: ['posix', 'sysv'] },
  perl: { tool: 'perl', command: ['perl', '-e', PERL], kinds: ['sysv'] },
} as const;

const missing = (tool: string): boolean => spawnSync(tool, ['--version']).error !== undefined;

beforeAll(() => {
  if (missing('cc')) return;
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', program, path('mq-peer.c'), '-lrt']);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(Object.entries(peers))('%s', (_, { tool, command, kinds }) => {
  const skip = missing(tool);
  if (skip) console.log(`skipped: ${tool} is not installed`);
  const [file, ...args] = command;
  const peer = (...more: readonly unknown[]): Peer =>
    Peer.start(file, [...args, ...more.map(String)]);

  test.skipIf(skip || !(kinds as readonly string[]).includes('posix'))(
    'MQ-021 MQ-025 MQ-031: sends and receives messages with their priorities, POSIX',
    async () => {
      const queue = posix({ maxMessages: 4, maxMessageSize: 8192 });
      const waits = queue.receive();
      expect(await isPending(waits)).toBe(true);
      expect(await peer(queue.name, 'from outside: ä', 5).ended).toMatchObject({ code: 0 });
      expect(await waits).toEqual({ data: Buffer.from('from outside: ä'), priority: 5 });
      await queue.send('later', { priority: 1 });
      await queue.send('sooner', { priority: 32_767 });
      expect(await peer(queue.name).line()).toBe('32767 sooner');
      expect(await peer(queue.name).line()).toBe('1 later');
      const blocked = peer(queue.name);
      await queue.send('for the one that waits', { priority: 2 });
      expect(await blocked.line()).toBe('2 for the one that waits');
    },
  );

  test.skipIf(skip)(
    'SVMSG-008 SVMSG-017: sends and receives messages with their types, System V',
    async () => {
      const queue = sysv();
      const waits = queue.receive({ type: -9 });
      expect(await isPending(waits)).toBe(true);
      expect(await peer(queue.id, 'from outside: ä', 9).ended).toMatchObject({ code: 0 });
      expect(await waits).toEqual({ data: Buffer.from('from outside: ä'), type: 9 });
      await queue.send('first', { type: 77 });
      await queue.send('second', { type: 3 });
      expect(await peer(queue.id).line()).toBe('77 first');
      expect(await peer(queue.id).line()).toBe('3 second');
      const blocked = peer(queue.id);
      await queue.send('for the one that waits', { type: 2 ** 31 });
      expect(await blocked.line()).toBe('2147483648 for the one that waits');
    },
  );
});

test('ipcmk(1) makes what fromId() opens, ipcs(1) shows it and ipcrm(1) ends its waits', async () => {
  const [id = ''] = /\d+/.exec(execFileSync('ipcmk', ['-Q', '-p', '0600']).toString()) ?? [];
  using queue = SysvQueue.fromId(Number(id));
  await queue.send('12345');
  expect(execFileSync('ipcs', ['-q', '-i', id]).toString()).toMatch(/qnum=1/);
  await queue.receive();
  const wait = queue.receive();
  execFileSync('ipcrm', ['-q', id]);
  await expect(wait).rejects.toMatchObject({ code: 'EIDRM' });
});
