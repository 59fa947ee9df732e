import type { CrashSafetyAdapter } from '../../src/index.js';
import { crashes } from './adapters.js';
import { leak, type Broken } from './broken.js';
import { override } from './override.js';

let names = 0;

/** Survivors that draw the wrong conclusions. */
export const brokenSurvivors: readonly Broken<CrashSafetyAdapter>[] = [
  {
    defect: 'loses what a dead writer wrote last',
    rejectedBy: 'writer-killed',
    adapter: {
      ...crashes,
      async startWriter(args) {
        const { child, reader } = await crashes.startWriter(args);
        override(reader, {
          read: (original) => async (options) => {
            const chunk = await original(options);
            return child.signalCode !== null && chunk ? chunk.subarray(0, -1) : chunk;
          },
        });
        return { child, reader };
      },
    },
  },
  {
    defect: 'takes the death of the reader for success',
    rejectedBy: 'reader-killed',
    adapter: {
      ...crashes,
      async startReader(args) {
        const { child, writer } = await crashes.startReader(args);
        override(writer, { write: (original) => (data) => original(data).catch(() => {}) });
        return { child, writer };
      },
    },
  },
  {
    defect: 'leaks a descriptor with each peer',
    rejectedBy: 'nothing-left-behind',
    adapter: {
      ...crashes,
      async startWriter(args) {
        leak();
        return crashes.startWriter(args);
      },
    },
  },
  {
    defect: 'leaves a name behind',
    rejectedBy: 'nothing-left-behind',
    adapter: { ...crashes, leftovers: () => [`/left-behind-${(names += 1)}`] },
  },
  {
    defect: 'cuts the messages of a dead sender',
    rejectedBy: 'sender-killed',
    adapter: {
      ...crashes,
      async startSender(args) {
        const { child, receiver } = await crashes.startSender(args);
        override(receiver, {
          receive: (original) => async (options) => (await original(options))?.subarray(1) ?? null,
        });
        return { child, receiver };
      },
    },
  },
];
