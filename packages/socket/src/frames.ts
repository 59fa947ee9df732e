import type * as Core from '@octoipc/core';

let loaded: typeof Core | undefined;

/**
 * Frames, which importing the package does without. They are loaded with the binding: a stream whose first
 * message comes when the process has no descriptor left could not read the file.
 */
export function frames(): typeof Core {
  return (loaded ??= require('@octoipc/core') as typeof Core);
}
