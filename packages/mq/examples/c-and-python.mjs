import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { PosixQueue, SysvQueue } from '@octoipc/mq';

// With C, by priority.
const small = { temporary: true, maxMessages: 4, maxMessageSize: 64 };
const readings = PosixQueue.open(`/readings-${process.pid}`, small);
const orders = PosixQueue.open(`/orders-${process.pid}`, small);
const folder = mkdtempSync(`${tmpdir()}/`);
execFileSync('cc', ['-o', `${folder}/sensor`, 'examples/sensor.c', '-lrt']);
await orders.send('take a rest');
await orders.send('open the windows', { priority: 5 });
const order = execFileSync(`${folder}/sensor`, [readings.name, orders.name]);
console.log(String(order)); //=> 'open the windows, priority 5\n'
const [first, second] = await readings.receiveMany();
console.log([first.priority, String(first.data)]); //=> [9, 'smoke']
console.log(String(second.data)); //=> '20 degrees'

// With Python, by type.
const jobs = SysvQueue.open('private', { temporary: true });
spawn('python3', ['examples/worker.py', String(jobs.id)], { stdio: 'inherit' });
await jobs.send('a job', { type: 1 });
console.log(String((await jobs.receive({ type: 2 })).data)); //=> 'A JOB'

for (const queue of [readings, orders, jobs]) queue.close();
rmSync(folder, { recursive: true });
