import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { home } from './command.js';

/** Users that nobody else is: who attacks, and who is attacked where root would not do. */
export const ATTACKER = 64_979;
export const VICTIM = 64_978;

/** What the kernel says of another user's link in a sticky folder, by fs.protected_symlinks and its like. */
export const REFUSED = /^(ELOOP|EACCES)$/;

export const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);

/** What is attacked. */
type Target = string | number | readonly [string, string];

/** Another user tries; how each attack ended, by its title. */
export function attacks(
  targets: Readonly<Record<string, readonly [attack: string, target: Target]>>,
) {
  const args = [fixture('second-user.py'), String(ATTACKER), JSON.stringify(targets)];
  return JSON.parse(execFileSync('python3', args, { encoding: 'utf8' })) as Record<string, string>;
}

/** What fixtures/second-user.mjs says, run as that user. */
export function program(uid: number, ...args: readonly string[]): unknown {
  const line = [...asUser(uid), process.execPath, fixture('second-user.mjs'), ...args];
  return JSON.parse(execFileSync('setpriv', line, { cwd: home, encoding: 'utf8' }));
}

/** A folder like /tmp: everybody may make names in it, and remove their own. */
export function sticky(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-users-'));
  chmodSync(path, 0o1777);
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

export function made<T extends { close(): void }>(handle: T, removal?: () => void): T {
  onTestFinished(() => {
    handle.close();
    removal?.();
  });
  return handle;
}

/** Why no second user can be had. */
export function refusal(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root to become another user';
  const noStranger = whyNoStranger(ATTACKER, fixture('second-user.mjs'));
  if (noStranger !== undefined) return noStranger;
  return spawnSync('python3', ['-c', '']).status === 0 ? undefined : 'there is no python3';
}
