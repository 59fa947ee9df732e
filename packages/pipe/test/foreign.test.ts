import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { spawnWithPipes } from '@octoipc/pipe';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { opened } from './opened.js';

const SIZE = 300_000;
const bytes = Buffer.from(Array.from({ length: SIZE }, (_, i) => i % 251));
const sum = bytes.reduce((all, byte) => all + byte, 0);

const folder = mkdtempSync(join(tmpdir(), 'octoipc-foreign-'));
const program = join(folder, 'pipe-peer');

/** Peers that know nothing of us: each reads fd 3 and says bytes and sum, or writes the bytes to fd 4. */
const peers = {
  C: { tool: 'cc', read: [program, 'read'], write: [program, 'write'] },
  python: {
    tool: 'python3',
    read: ['python3', '-c', 'd = open(3, "rb").read(); print(len(d), sum(d))'],
    write: [
      'python3',
      '-c',
      `f = open(4, "wb"); f.write(bytes(i % 251 for i in range(${SIZE}))); f.close()`,
    ],
  },
  perl: {
    tool: 'perl',
    read: [
      'perl',
      '-e',
      'open(my $r, "<&=", 3); while (sysread($r, my $b, 10000)) { $n += length $b; $s += unpack("%32C*", $b) } print "$n $s\\n"',
    ],
    write: [
      'perl',
      '-e',
      `open(my $w, ">&=", 4); my $d = pack("C*", map { $_ % 251 } 0..${SIZE - 1}); while (length $d) { my $n = syswrite($w, $d); substr($d, 0, $n) = "" }`,
    ],
  },
  socat: {
    tool: 'socat',
    read: [
      'sh',
      '-c',
      `socat -u FD:3 STDOUT | perl -0777 -ne 'print length, " ", unpack("%32C*", $_), "\\n"'`,
    ],
    write: [
      'sh',
      '-c',
      `perl -e 'print pack("C*", map { $_ % 251 } 0..${SIZE - 1})' | socat -u STDIN FD:4`,
    ],
  },
} as const;

beforeAll(() => {
  const source = join(import.meta.dirname, 'fixtures', 'pipe-peer.c');
  if (isThere('cc')) execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', program, source]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function isThere(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

function started(command: readonly string[]) {
  const [file, ...args] = command;
  const { child, pipes } = spawnWithPipes(file!, args, {
    pipes: { 3: 'read', 4: 'write' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    pipes[3].close();
    pipes[4].close();
  });
  return { peer: new Peer(child), pipes };
}

describe.each(Object.entries(peers))('%s', (name, { tool, read, write }) => {
  const skip = !isThere(tool);
  if (skip) console.log(`skipped: ${tool} is not installed, so there is no peer in ${name}`);

  test.skipIf(skip)('PIPE-001: reads all that we write', async () => {
    const { peer, pipes } = started(read);
    await pipes[3].write(bytes);
    pipes[3].close();
    expect((await peer.ended).stdout).toBe(`${SIZE} ${sum}\n`);
  });

  test.skipIf(skip)(
    'PIPE-001 PIPE-007: writes, and we read all of it and then the end',
    async () => {
      const { peer, pipes } = started(write);
      expect((await pipes[4].readAll()).equals(bytes)).toBe(true);
      expect(await pipes[4].read()).toBe(null);
      expect((await peer.ended).code).toBe(0);
    },
  );
});

const alone = (['C', 'python', 'perl'] as const).filter((name) => isThere(peers[name].tool));

test.each(alone)(
  'PIPE-011 PIPE-012: a peer in %s that loses us, and one that we lose',
  async (name) => {
    const writing = started(peers[name].write);
    await writing.pipes[4].readable();
    writing.pipes[4].close();
    const { code, signal } = await writing.peer.ended;
    expect(code !== 0 || signal === 'SIGPIPE').toBe(true);
    const reading = started(peers[name].read);
    reading.peer.child.kill('SIGKILL');
    await reading.peer.ended;
    expect(await codeOf(() => reading.pipes[3].write(bytes))).toBe('EPIPE');
  },
);

test('PIPE-027: packets that another program writes are packets of ours', async () => {
  const { reader, writer } = opened({ packet: true });
  const script = 'import os; os.write(3, b"abc"); os.write(3, b"defgh")';
  const python = Peer.start('python3', ['-c', script], {
    stdio: ['pipe', 'pipe', 'pipe', writer.fd],
  });
  expect((await python.ended).code).toBe(0);
  expect([String(await reader.read()), String(await reader.read())]).toEqual(['abc', 'defgh']);
});
