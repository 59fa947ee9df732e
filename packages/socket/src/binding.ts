import { createRequire } from 'node:module';

import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface SocketBinding extends DescriptorBinding {
  create(value: number): number;
  add(fd: number, count: number): number;
  take(fd: number): number;
}

let loaded: SocketBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): SocketBinding {
  loaded ??= loadBinding<SocketBinding>(
    createRequire(import.meta.url).resolve('../package.json'),
    'socket',
  );
  return loaded;
}
