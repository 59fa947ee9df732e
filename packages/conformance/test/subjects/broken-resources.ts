import { closeSync } from 'node:fs';

import { IpcError } from '@octoipc/core';

import type { ResourcesAdapter } from '../../src/index.js';
import { resources } from './adapters.js';
import { leak, type Broken } from './broken.js';
import { override } from './override.js';

// Node has it; the types know it of browsers only.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (limits: { initial: number; maximum: number }) => object };
};

/** What is never collected. */
const kept: unknown[] = [];

/** Broken in their resources. */
export const brokenResources: readonly Broken<ResourcesAdapter>[] = [
  {
    defect: 'leaks a descriptor each time',
    rejectedBy: 'cycles',
    adapter: {
      ...resources,
      open() {
        leak();
        return resources.open();
      },
    },
  },
  {
    defect: 'leaks a mapping each time',
    rejectedBy: 'cycles',
    adapter: {
      ...resources,
      open() {
        kept.push(new WebAssembly.Memory({ initial: 1, maximum: 2 }));
        return resources.open();
      },
    },
  },
  {
    defect: 'leaks when a call fails',
    rejectedBy: 'failures',
    adapter: {
      ...resources,
      failures: {
        'it fails half-way': () => {
          leak();
          throw new IpcError('EMFILE', { syscall: 'open' });
        },
      },
    },
  },
  {
    defect: 'does not fail where it should',
    rejectedBy: 'failures',
    adapter: { ...resources, failures: { 'nothing is wrong': () => {} } },
  },
  {
    defect: 'closes the number of its descriptor again',
    rejectedBy: 'closed-once',
    adapter: {
      ...resources,
      open() {
        const opened = resources.open();
        for (const handle of opened.handles) {
          const { fd } = handle;
          override(handle, {
            close: (original) => () => {
              if (handle.closed) closeSync(fd);
              else original();
            },
          });
        }
        return opened;
      },
    },
  },
  {
    defect: 'says nothing of what may fail',
    rejectedBy: 'failures',
    adapter: { ...resources, failures: {} },
  },
];
