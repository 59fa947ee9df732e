import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { SharedMemory } from '@octoipc/shm';
import { describe, expect, onTestFinished, test } from 'vitest';

import { asUser } from '../../core/test/stranger.js';
import { command } from './command.js';
import { uniqueName } from './objects.js';
import { attacks, program, refusal, sticky, VICTIM } from './other-user.js';

const why = refusal();
if (why !== undefined) console.log(`planted-records.test.ts is skipped: ${why}`);

describe.skipIf(why !== undefined)(`another user (${why ?? 'created here'})`, () => {
  test('who takes the place of the folder of records gets no names', () => {
    const folder = `/dev/shm/octoipc-${VICTIM}`;
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const name = `/${uniqueName()}`;
    // A link to a folder that is the victim's alone: it is not where his records go.
    const alone = join(sticky(), 'private');
    mkdirSync(alone, { mode: 0o700 });
    chownSync(alone, VICTIM, VICTIM);
    const places = {
      folder: ['plant folder', folder],
      link: ['plant link', [alone, folder]],
      file: ['plant file', folder],
    } as const;
    for (const [what, attack] of Object.entries(places)) {
      expect(attacks({ [what]: attack })).toEqual({ [what]: 'done' });
      expect(program(VICTIM, 'temporary', name), what).toBe('EPERM');
      expect(existsSync(`/dev/shm${name}`)).toBe(false);
      expect(readdirSync(alone)).toEqual([]);
      rmSync(folder, { recursive: true });
    }
  });

  test('who takes the place of the folder of records can have nothing removed, nor keep octoipc ls from its work', () => {
    const folder = `/dev/shm/octoipc-${VICTIM}`;
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const name = `/${uniqueName()}`;
    const precious = `/dev/shm${name}`;
    writeFileSync(precious, 'precious', { mode: 0o600 });
    onTestFinished(() => rmSync(precious, { force: true }));
    chownSync(precious, VICTIM, VICTIM);
    expect(
      attacks({
        folder: ['plant folder', folder],
        record: ['plant record', [join(folder, 'posix-shm.1.planted'), recordOfTheDead(name)]],
      }),
    ).toEqual({ folder: 'done', record: 'done' });
    expect(program(VICTIM, 'reap')).toBe('EPERM');
    expect(existsSync(precious)).toBe(true);
    const line = [...asUser(VICTIM), process.execPath, command, 'ls', '--json', `shm:${name}`];
    const { status, stdout, stderr } = spawnSync('setpriv', line, { encoding: 'utf8' });
    expect({ status, objects: JSON.parse(stdout) as unknown }).toMatchObject({
      status: 0,
      objects: [{ url: `shm:${name}` }],
    });
    expect(stderr).toMatch(/^octoipc ls: temporary names are not told from others: EPERM: /);
  });
});

/** What a process would have left that died, and had made memory with this name. */
function recordOfTheDead(name: string): string {
  const { dev, ino } = statSync(`/dev/shm${name}`);
  const memory = SharedMemory.open(`/${uniqueName()}`, { create: true, temporary: true, size: 1 });
  const folder = '/dev/shm/octoipc-0';
  const file = readdirSync(folder).find((each) => each.startsWith(`posix-shm.${process.pid}.`));
  const record = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as {
    owner: object;
    object: object;
  };
  memory.close();
  const owner = { ...record.owner, startTime: '1' };
  return JSON.stringify({ ...record, name, owner, object: { ...record.object, dev, ino } });
}
