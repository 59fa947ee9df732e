import { loadBinding } from './load-binding.js';

/** The native functions of this package; a negative result is -errno. */
export interface CoreBinding {
  close(fd: number): number;
  tryLock(fd: number): number;
  /** What `tryLock` would say. */
  testLock(fd: number): number;
  create(path: string): number;
  /** What is to be removed where this thread ends without running more JavaScript; its index. */
  removeAtEnd(
    removal: number,
    target: string,
    first: number,
    second: number,
    record: string,
  ): number;
  forgetAtEnd(index: number): number;
}

let loaded: CoreBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): CoreBinding {
  loaded ??= loadBinding<CoreBinding>(import.meta.url, 'core');
  return loaded;
}
