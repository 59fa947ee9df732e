// @ts-check
// Where compiled programs and the packages that are compared are kept: in a checkout beside its
// packages, else where programs of this user keep such.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

/** Whether this is a checkout of the repository, and no installed package. */
export const isCheckout = existsSync(join(root, 'scripts', 'workspace.mjs'));

/** The folder; whoever writes to it makes it. */
export const cache = isCheckout
  ? join(root, 'node_modules', '.cache', 'octoipc')
  : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'octoipc');
