import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface __Pascal__Binding extends DescriptorBinding {
  create(value: number): number;
  add(fd: number, count: number): number;
  take(fd: number): number;
}

let loaded: __Pascal__Binding | undefined;

/** The binding, loaded at its first use. */
export function binding(): __Pascal__Binding {
  loaded ??= loadBinding<__Pascal__Binding>(`${__dirname}/../package.json`, '__name__');
  return loaded;
}
