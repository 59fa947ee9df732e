// @ts-check
// zeromq.mjs SIZE: messages from one process to another by zeromq.js, PUSH and PULL over ipc.
import { fork } from 'node:child_process';

import { load } from '../peers.mjs';
import { driveFlow, fill, receiveFlow, sumOf } from './side.mjs';

const { Pull, Push } = await load('zeromq');
const [sizeText, role, address] = process.argv.slice(2);
const size = Number(sizeText);

/** It keeps what it is given until that was written: more than its queues hold, which are 1000 at each side. */
const MESSAGES = 4096;

async function drive() {
  const push = new Push();
  // An abstract name, which goes with its socket.
  const bound = `ipc://@octoipc-bench-zeromq-${process.pid}`;
  await push.bind(bound);
  const messages = Array.from({ length: MESSAGES }, () => Buffer.alloc(size));
  const child = fork(import.meta.filename, [String(size), 'peer', bound]);
  await driveFlow(child, async (count) => {
    for (let n = 0; n < count; n++) {
      const message = /** @type {Buffer} */ (messages[n % MESSAGES]);
      fill(message, n);
      await push.send(message);
    }
  });
}

function answer() {
  const pull = new Pull();
  pull.connect(address);
  receiveFlow(async (count) => {
    let sum = 0;
    for (let left = count; left > 0; left--) {
      const [message] = await pull.receive();
      sum += sumOf(message, 0);
    }
    return sum;
  });
}

if (role === 'peer') answer();
else await drive();
