import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { IpcError, unsupportedError } from './errors.js';

/**
 * Loads the native binding of a package, at its first use.
 *
 * @param manifest - the path of the package's package.json
 * @param name - the binding's name
 * @returns what the binding exports
 * @throws {IpcError} ERR_UNSUPPORTED on Windows, and where no binding is found or it does not load
 */
export function loadBinding<T>(manifest: string, name: string): T {
  if (process.platform === 'win32') throw unsupportedError(`@octoipc/${name}`);
  const folder = dirname(manifest);
  // A build of another flavour (sanitizers) is named by a folder within the package.
  const flavour = process.env['OCTOIPC_BUILD'] ?? 'build/Release';
  const file = join(folder, flavour, `${name}.node`);
  if (!existsSync(file)) {
    throw new IpcError('ERR_UNSUPPORTED', {
      text: `the native binding of @octoipc/${name} is not built for ${process.platform}-${process.arch}`,
      target: file,
      hint: 'build it with: npx node-gyp rebuild, in the package',
    });
  }
  try {
    return require(file) as T;
  } catch (cause) {
    throw new IpcError('ERR_UNSUPPORTED', {
      text: `the native binding of @octoipc/${name} does not load`,
      target: file,
      cause,
    });
  }
}
