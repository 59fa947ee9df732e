import type { NamedObjectAdapter } from '../../src/index.js';
import type { NamedFile } from '../fixtures/named-file.mjs';
import { named } from './adapters.js';
import type { Broken } from './broken.js';

/** Careless with names. */
export const brokenNames: readonly Broken<NamedObjectAdapter<NamedFile>>[] = [
  {
    defect: 'creates what it should only open',
    rejectedBy: 'absent',
    adapter: { ...named, open: (name, options) => named.open(name, { create: true, ...options }) },
  },
  {
    defect: 'ignores exclusive',
    rejectedBy: 'exclusive',
    adapter: {
      ...named,
      open: (name, options) => named.open(name, { ...options, exclusive: false }),
    },
  },
  {
    defect: 'makes a new object of one that exists',
    rejectedBy: 'create-existing',
    adapter: {
      ...named,
      open(name, options) {
        if (options?.create === true && named.list().includes(name)) named.unlink(name);
        return named.open(name, options);
      },
    },
  },
  {
    defect: 'lets the umask change the mode',
    rejectedBy: 'exact-mode',
    adapter: { ...named, mode: (name) => named.mode(name) & 0o700 },
  },
  {
    defect: 'cuts names that are too long',
    rejectedBy: 'long-name',
    adapter: { ...named, open: (name, options) => named.open(name.slice(0, 255), options) },
  },
  {
    defect: 'does not list what it has',
    rejectedBy: 'create',
    adapter: { ...named, list: () => [] },
  },
  {
    defect: 'forgives to unlink what is not there',
    rejectedBy: 'unlink-absent',
    adapter: {
      ...named,
      unlink(name) {
        if (named.list().includes(name)) named.unlink(name);
      },
    },
  },
  {
    defect: 'keeps temporary names',
    rejectedBy: 'temporary-closed',
    adapter: {
      ...named,
      open: (name, options) => named.open(name, { ...options, temporary: false }),
    },
  },
  {
    defect: 'stores nothing',
    rejectedBy: 'persists',
    adapter: { ...named, mark: () => {} },
  },
  {
    defect: 'reaps whatever is temporary',
    rejectedBy: 'reaped',
    adapter: {
      ...named,
      reap() {
        for (const name of named.list()) named.unlink(name);
      },
    },
  },
];
