// Logs who has sent a signal, and lets it end the program as it always did.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { watch } from '@octoipc/signal';

if (process.argv[2] === 'observe') {
  const watcher = watch(['SIGTERM', 'SIGINT', 'SIGHUP'], { observe: true });
  // Whatever the program does meanwhile.
  setInterval(() => undefined, 1000);
  process.send('ready');
  for await (const { signal, pid, uid, command, codeName } of watcher) {
    console.log(`${signal} from ${pid} of user ${uid} (${command}, ${codeName})`);
  }
}

const service = spawn(process.execPath, [process.argv[1], 'observe'], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
await once(service, 'message');
service.kill('SIGTERM');
const [, signal] = await once(service, 'exit');
console.log(`it ended by ${signal}`);
