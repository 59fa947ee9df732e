import { loadBinding } from './load-binding.js';

/** The native functions of this package; a negative result is -errno. */
export interface CoreBinding {
  close(fd: number): number;
  tryLock(fd: number): number;
  create(path: string): number;
}

let loaded: CoreBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): CoreBinding {
  loaded ??= loadBinding<CoreBinding>(`${__dirname}/../package.json`, 'core');
  return loaded;
}
