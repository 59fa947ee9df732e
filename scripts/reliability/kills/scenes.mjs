// What is killed at each of its system calls: the short life of everything that leaves its state in the
// kernel or the file system.
import { spawnSync } from 'node:child_process';
import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { reap } from '@octoipc/core';
import { registerReaper, Temporary } from '@octoipc/core/kit';

import { LOCKS } from './scenes/locks.mjs';
import { MEMORY } from './scenes/memory.mjs';
import { PLACES } from './scenes/places.mjs';
import { QUEUES } from './scenes/queues.mjs';

const fileReaper = {
  identify(name) {
    const status = statSync(name, { throwIfNoEntry: false });
    return status === undefined ? null : { dev: status.dev, ino: status.ino };
  },
  remove: unlinkSync,
};
registerReaper('test-file', fileReaper);

const owner = fileURLToPath(new URL('owner.mjs', import.meta.url));

/** Temporary objects of four kinds, whose owner is dead. */
function deadOwner({ name, key }) {
  const { signal, stderr } = spawnSync(process.execPath, [owner, name, String(key)]);
  if (signal !== 'SIGKILL') throw new Error(`the owner did not die: ${stderr}`);
}

export const SCENES = {
  record: {
    mechanism: 'core',
    stays: ({ path }) => path,
    life({ path }) {
      const made = new Temporary('test-file', path, fileReaper);
      writeFileSync(path, 'x');
      made.created(fileReaper.identify(path));
      made.end();
    },
    next({ path }) {
      const made = new Temporary('test-file', path, fileReaper);
      writeFileSync(path, 'y');
      made.created(fileReaper.identify(path));
      made.end();
    },
    // Another name's record, in the same folder: it makes the folder come and go.
    rival({ path }) {
      const other = `${path}.other`;
      const made = new Temporary('test-file', other, fileReaper);
      writeFileSync(other, 'z');
      made.created(fileReaper.identify(other));
      made.end();
      return statSync(other, { throwIfNoEntry: false }) && 'a temporary file stayed';
    },
  },
  ...QUEUES,
  ...LOCKS,
  ...MEMORY,
  ...PLACES,
  reap: {
    mechanism: 'core',
    prepare: deadOwner,
    life: () => void reap(),
    next: () => void reap(),
    rival: () => void reap(),
  },
};

/** Names for one run, in a folder of its own. */
export function context(folder, id) {
  const name = `/octoipc-kills-${process.pid}-${id}`;
  return {
    name,
    key: 0x0c70_0000 + (process.pid % 0x100) * 0x100 + (id % 0x100),
    path: join(folder, `at-${id}`),
  };
}
