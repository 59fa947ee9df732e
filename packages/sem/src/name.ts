import { cString, IpcError, valueError } from '@octoipc/core/kit';

/**
 * A POSIX name: a slash, then bytes without one.
 *
 * @param value - what the caller passed
 * @param syscall - the call that it is for
 * @param longest - the most bytes, slash included
 * @returns the name
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no string
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it has not that form, is `/.` or `/..`, or holds a NUL
 * @throws {IpcError} ENAMETOOLONG when it is too long
 */
export function posixName(value: unknown, syscall: string, longest: number): string {
  const name = cString(value, 'name');
  if (!name.startsWith('/')) throw valueError('name', "must begin with a slash: '/jobs'", value);
  if (name.length === 1) throw valueError('name', "must be more than its slash: '/jobs'", value);
  if (name.includes('/', 1)) {
    throw valueError('name', "must hold no slash but its first: '/jobs-urgent'", value);
  }
  if (name === '/.' || name === '/..') throw valueError('name', 'must be a name', value);
  const length = Buffer.byteLength(name);
  if (length > longest) {
    throw new IpcError('ENAMETOOLONG', {
      syscall,
      target: name,
      hint: `the name has ${length} bytes, of ${longest} at most, the slash included: shorten it`,
    });
  }
  return name;
}
