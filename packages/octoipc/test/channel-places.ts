import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openReceiver, openSender } from 'octoipc';
import { onTestFinished } from 'vitest';

/** A directory of this test's own, which goes with it. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A key that is nobody else's. */
export function freshKey(): string {
  return `0x${randomInt(1, 0x7fff_ffff).toString(16)}`;
}

let count = 0;

/** A name that is nobody else's. */
export function freshName(): string {
  count += 1;
  return `/octoipc-channels-${process.pid}-${count}`;
}

/** What is closed when the test is over. */
export const closing = <C extends { close(): void }>(channel: C): C => {
  onTestFinished(() => channel.close());
  return channel;
};

type Opener = (url: string, options?: object) => Promise<{ close(): void }>;
/** Both ways of opening a channel. */
export const OPENERS = [openSender, openReceiver] as Opener[];

/** What an opening is refused with. */
export async function refusal(
  opening: Promise<{ close(): void }>,
): Promise<Error & { code: string }> {
  try {
    (await opening).close();
  } catch (error) {
    return error as Error & { code: string };
  }
  throw new Error('it was taken');
}
