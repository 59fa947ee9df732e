import { cString, IpcError, valueError } from '@octoipc/core/kit';

const LONGEST = 255;

/** Where POSIX shared memory is: shm_overview(7). */
export const FOLDER = '/dev/shm';

/**
 * The name of a POSIX shared memory: a slash, then 1 to 254 bytes without one.
 *
 * @param value - what the caller passed
 * @param syscall - the call that it is for
 * @returns the name
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no string
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it has not that form, is `/.` or `/..`, or holds a NUL
 * @throws {IpcError} ENAMETOOLONG when it is longer than 255 bytes
 */
export function memoryName(value: unknown, syscall: string): string {
  const name = cString(value, 'name');
  if (!name.startsWith('/')) throw valueError('name', "must begin with a slash: '/image'", value);
  if (name.length === 1) throw valueError('name', "must be more than its slash: '/image'", value);
  if (name.includes('/', 1)) {
    throw valueError('name', "must hold no slash but its first: '/image-7'", value);
  }
  if (name === '/.' || name === '/..') throw valueError('name', 'must be a name', value);
  const length = Buffer.byteLength(name);
  if (length > LONGEST) {
    throw new IpcError('ENAMETOOLONG', {
      syscall,
      target: name,
      hint: `the name has ${length} bytes, of ${LONGEST} at most, the slash included: shorten it`,
    });
  }
  return name;
}
