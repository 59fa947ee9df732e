import { IpcError } from '@octoipc/core';

import type { BadInputAdapter } from '../../src/index.js';
import { input } from './adapters.js';
import { leak, type Broken } from './broken.js';

type Subject = ReturnType<typeof input.open>;

function brokenInput(
  defect: string,
  rejectedBy: string,
  damage: (subject: Subject) => Partial<Subject>,
): Broken<BadInputAdapter> {
  const open = (): Subject => {
    const subject = input.open();
    return { ...subject, ...damage(subject) };
  };
  return { defect, rejectedBy, adapter: { ...input, open } };
}

/** Careless with what they are passed. */
export const brokenInputs: readonly Broken<BadInputAdapter>[] = [
  brokenInput('converts numbers to 32 bits', 'numbers', ({ numbers }) => ({
    numbers: {
      ...numbers,
      'read({ maxBytes })': {
        call: (value: unknown) =>
          numbers['read({ maxBytes })'].call((Number(value) | 0 || 1) as never),
        accepts: () => false,
      },
    },
  })),
  brokenInput('refuses with a plain error', 'options', ({ options }) => ({
    options: {
      'read()': (value: never) =>
        options['read()'](value).catch(() => {
          throw new Error('bad options');
        }),
    },
  })),
  brokenInput('refuses with an error of the system', 'names', () => ({
    names: {
      'NamedFile.open()': () => {
        throw new IpcError('EINVAL', { syscall: 'open' });
      },
    },
  })),
  brokenInput('has an effect before it refuses', 'data', (subject) => {
    let calls = 0;
    return {
      state: (() => calls) as unknown as Subject['state'],
      data: {
        'write()': (value: never) => {
          calls += 1;
          return subject.data['write()'](value);
        },
      },
    };
  }),
  brokenInput('leaks when it refuses', 'signals', ({ waits }) => ({
    waits: {
      'write()': (value: never) => {
        leak();
        return waits['write()'](value);
      },
    },
  })),
  brokenInput('takes detached memory for no bytes', 'detached-data', ({ data }) => ({
    data: {
      'write()': (value: Uint8Array) =>
        ArrayBuffer.isView(value) && value.byteLength === 0
          ? Promise.resolve()
          : data['write()'](value as never),
    },
  })),
  brokenInput('does not look at this', 'wrong-this', (subject) => ({
    methods: [{ of: { careless: () => subject }, names: ['careless'] }] as never,
  })),
];
