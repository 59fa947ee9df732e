import { createRequire } from 'node:module';

import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface ShmBinding extends DescriptorBinding {
  create(value: number): number;
  add(fd: number, count: number): number;
  take(fd: number): number;
}

let loaded: ShmBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): ShmBinding {
  loaded ??= loadBinding<ShmBinding>(
    createRequire(import.meta.url).resolve('../package.json'),
    'shm',
  );
  return loaded;
}
