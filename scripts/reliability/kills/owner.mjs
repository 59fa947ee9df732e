// owner.mjs NAME KEY: makes temporary objects, and dies.
import { PosixQueue } from '@octoipc/mq';
import { Mutex, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory } from '@octoipc/shm';

const [name, key] = process.argv.slice(2);
PosixQueue.open(name, { temporary: true, maxMessages: 1, maxMessageSize: 8 });
SysvSemaphoreSet.open(Number(key), { temporary: true, count: 1, values: [0] });
SharedMemory.open(`${name}-memory`, { temporary: true, size: 4096 });
Mutex.open(name, { temporary: true });
process.kill(process.pid, 'SIGKILL');
