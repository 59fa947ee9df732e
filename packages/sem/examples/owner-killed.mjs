import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Mutex } from '@octoipc/sem';

if (process.argv[2]) {
  // The other process: it takes the lock, and is killed.
  await Mutex.open(process.argv[2]).lock();
  process.kill(process.pid, 'SIGKILL');
}

const name = `/octoipc-owner-${process.pid}`;
const mutex = Mutex.open(name, { temporary: true });
const child = spawn(process.execPath, [process.argv[1], name]);
await once(child, 'exit');

const guard = await mutex.lock();
console.log(guard.recovered?.pid === child.pid); //=> true
guard.markConsistent(); // once what it left is repaired
guard.unlock();
console.log(mutex.owner); //=> null
mutex.close();
