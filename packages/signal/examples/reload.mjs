// A command channel of 32 bits that any shell can use: kill -s RTMIN+1 -q LEVEL PID.
import { spawnSync } from 'node:child_process';

import { rt, send, watch } from '@octoipc/signal';

const commands = watch(['SIGHUP', 'SIGRTMIN+1']);
let level = 0;

const told = (async () => {
  for await (const { signal, value, uid } of commands) {
    if (uid !== process.getuid()) continue;
    if (signal === 'SIGHUP') break;
    level = value;
  }
})();

const shell = spawnSync('/bin/kill', ['-s', 'RTMIN+1', '-q', '3', String(process.pid)]);
// Not every kill(1) knows -q.
if (shell.status !== 0) send(process.pid, rt(1), { value: 3 });
send(process.pid, 'SIGHUP');
await told;
commands.close();
console.log(`log level ${level}`);
