// One loop over queues of both kinds: an urgent one, a usual one, and what others have sent by type.
import { PosixQueue, receiveAny, SysvQueue } from '@octoipc/mq';

const small = { temporary: true, maxMessages: 8, maxMessageSize: 128 };
const urgent = PosixQueue.open(`/urgent-${process.pid}`, small);
const usual = PosixQueue.open(`/usual-${process.pid}`, small);
const typed = SysvQueue.open('private', { temporary: true });

await usual.send('water the plants', { priority: 1 });
await typed.send('from an old friend', { type: 42 });
await urgent.send('put out the fire');

const stop = AbortSignal.timeout(100);
try {
  for (;;) {
    const { queue, data, type } = await receiveAny([urgent, usual, typed], { signal: stop });
    console.log(queue === typed ? `type ${type}: ${data}` : `${queue.name.slice(1)}: ${data}`);
  }
} catch (error) {
  if (error !== stop.reason) throw error;
}
for (const queue of [urgent, usual, typed]) queue.close();
