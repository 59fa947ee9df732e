import fs, { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { loadBinding } from '@octoipc/core/kit';
import { expect, onTestFinished } from 'vitest';

/** No process ever has it: it is beyond the kernel's limit. */
export const NO_PID = 4_194_305;

/** Where this user's records are. */
export const folder = `/dev/shm/octoipc-${process.geteuid?.()}`;

interface RecordBinding {
  tryLock(fd: number): number;
  create(path: string): number;
}

/** The very object whose functions the package calls. */
function binding(): RecordBinding {
  return loadBinding<RecordBinding>(
    createRequire(import.meta.url).resolve('@octoipc/core/package.json'),
    'core',
  );
}

/** Whether the file is locked through this descriptor now, as a record is; it is until that is closed. */
export function tryHold(fd: number): boolean {
  return binding().tryLock(fd) === 0;
}

/** Opens and locks a record, as `reap` does when it looks. */
export function hold(path: string): number {
  const fd = fs.openSync(path, fs.constants.O_RDWR);
  expect(tryHold(fd)).toBe(true);
  return fd;
}

/** Does something between a claim's making of its file and its locking it, until the test is over. */
export function afterCreate(act: (unfinished: string) => void): void {
  const native = binding();
  const { create } = native;
  onTestFinished(() => void (native.create = create));
  native.create = (path) => {
    const fd = create(path);
    act(path);
    return fd;
  };
}

/** Which records this process has open, and which files of it are in the folder. */
export function ownRecords(): { open: string[]; files: string[] } {
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return []; // The one that the folder was read by.
    }
  });
  const prefix = `test-file.${process.pid}.`;
  return {
    open: open.filter((path) => path.startsWith(join(folder, prefix))),
    files: existsSync(folder) ? readdirSync(folder).filter((file) => file.startsWith(prefix)) : [],
  };
}
