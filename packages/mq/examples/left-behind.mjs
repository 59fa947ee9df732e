// What is left in the kernel, of whom, and what may go: queues outlive everybody who used them.
import { reap } from '@octoipc/core';
import { PosixQueue, SysvQueue } from '@octoipc/mq';

const forgotten = SysvQueue.open('private', { create: true });
await forgotten.send('nobody will ever read this');

for (const { id, messages, lastSender, lastReceiver } of SysvQueue.list()) {
  if (id !== forgotten.id) continue;
  const sender = lastSender?.alive ? 'lives' : 'is gone';
  const receiver = lastReceiver === null ? 'never was' : `was ${lastReceiver.pid}`;
  console.log(`${messages} message; its sender ${sender}, its receiver ${receiver}`);
}
for (const { name, holders } of PosixQueue.list()) console.log(name, holders);

// Temporary queues whose owner is dead go by this; the others are yours to remove.
for (const { kind, name, removed, reason } of reap({ dryRun: true })) {
  console.log(`${kind} ${name} ${removed ? 'would go' : 'stays'}: ${reason}`);
}
forgotten.remove();
