import { isIpcError } from '@octoipc/core';

import type { NamedOptions } from './named-object.js';
import { hold, type Roles } from './stage.js';

const kept: unknown[] = [];

/** Roles of the named object suite. */
export const namedRoles: Roles = {
  /** Creates a name, and holds it until it is killed or told to go. */
  async create({ actor, args, say, hear }) {
    const [name = '', options = '{}'] = args;
    kept.push(actor('named')(name, { create: true, ...(JSON.parse(options) as NamedOptions) }));
    say('created');
    if ((await hear()) === 'exit') process.exit(0);
    hold();
  },

  /** Tries to be the one who creates a name. */
  async race({ actor, args, say, hear }) {
    const [name = ''] = args;
    say('ready');
    await hear();
    try {
      kept.push(actor('named')(name, { create: true, exclusive: true }));
      say('created');
    } catch (error) {
      say(isIpcError(error) ? error.code : String(error));
    }
    await hear();
    process.exit(0);
  },
};
