// One process waits, another one adds to the counter that it has inherited as descriptor 3.
import { spawn } from 'node:child_process';

import { Socket } from '@octoipc/socket';

const counter = Socket.create();
const add = "require('fs').writeSync(3, new Uint8Array(BigUint64Array.of(1n).buffer))";
spawn(process.execPath, ['--eval', add], {
  stdio: ['ignore', 'inherit', 'inherit', counter.fd],
});
await counter.wait();
console.log('the other process has added to the counter');
counter.close();
