// What a program sees where no server is: a typed error with the remedy, at once.
import assert from 'node:assert/strict';

import { natsSender } from '@octoipc/nats';

const error = await natsSender('nats://127.0.0.1:1/jobs').catch((reason) => reason);
assert.equal(error.code, 'ECONNREFUSED');
console.log(`${error.message}\n  ${error.hint}`);
