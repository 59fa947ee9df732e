import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const fixture = fileURLToPath(new URL('./fixtures/faults.mjs', import.meta.url));

/** What a run tells: see the fixture. */
interface Report {
  readonly codes: string[];
  readonly serves: boolean[];
  readonly leaked: string[];
}

async function report(peer: Peer): Promise<Report> {
  const told = await peer.report<Report>();
  expect(await peer.ended).toMatchObject({ code: 0 });
  return told;
}

const canTrace =
  spawnSync('strace', ['-f', '-qq', '-e', 'inject=getppid:error=EINTR', '-o', '/dev/null', 'true'])
    .status === 0;

/** Each of these calls fails some times, at places that a step of 3 or 5 brings to different callers. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  socket: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EINTR'],
  socketpair: ['EMFILE', 'ENOMEM'],
  bind: ['ENOMEM', 'EADDRINUSE'],
  connect: ['ENOMEM', 'ENOBUFS', 'EINTR', 'EAGAIN'],
  accept4: ['EINTR', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ECONNABORTED', 'EPROTO'],
  sendmsg: ['EINTR', 'ENOBUFS', 'ENOMEM', 'ETOOMANYREFS', 'EAGAIN'],
  recvmsg: ['EINTR', 'ENOMEM', 'ENOBUFS', 'EAGAIN'],
  sendto: ['EINTR', 'ENOBUFS', 'ENOMEM'],
  recvfrom: ['EINTR', 'ENOMEM'],
};

/** Not the caller's business: retried, or waited for. */
const HIDDEN = ['EINTR', 'ECONNABORTED', 'EPROTO', 'EAGAIN'];

const cases = Object.entries(CALLS).flatMap(([call, codes]) =>
  codes.map((code) => [call, code] as const),
);

test.skipIf(!canTrace).each(cases)(
  '%s(2) that fails with %s is tried again, or an IpcError; nothing leaks, and the server goes on',
  async (call, code) => {
    const peer = Peer.start(
      'strace',
      `-f -qq --seccomp-bpf -o /dev/null -e trace=${call} -e inject=${call}:error=${code}:when=2+3`
        .split(' ')
        .concat(process.execPath, fixture, '2'),
      { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' } },
    );
    const { codes, serves, leaked } = await report(peer);
    expect({ serves, leaked }).toEqual({ serves: [true, true], leaked: [] });
    expect(codes.filter((each) => each.includes('untyped'))).toEqual([]);
    // Exhaustion is waited out by accept(), and told by tryAccept().
    const told = codes.filter((each) => call !== 'accept4' || !each.startsWith('tryAccept '));
    const isHidden = HIDDEN.includes(code) || call === 'accept4';
    expect(told.filter((each) => isHidden || each.endsWith(` ${code}`)).length > 0).toBe(!isHidden);
  },
  120_000,
);

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'SOCK-058: with %d descriptors to be had each step is done or EMFILE; nothing leaks, and the server serves again afterwards',
  async (spare) => {
    const peer = Peer.start(
      '/bin/sh',
      ['-c', 'ulimit -n 80; exec "$@"', 'sh', process.execPath, fixture, '2', String(spare)],
      { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' } },
    );
    const { codes, serves, leaked } = await report(peer);
    expect({ serves, leaked }).toEqual({ serves: [true, true], leaked: [] });
    const allowed = / (?:EMFILE|ERR_FDS_TRUNCATED)$|^accept ETIMEDOUT$/;
    expect(codes.filter((each) => !allowed.test(each))).toEqual([]);
    expect(codes.length > 0).toBe(spare < 4);
  },
  60_000,
);
