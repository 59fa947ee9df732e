import type { Advice } from './advice.js';
import type { Need } from './need.js';

/** Where the examples meet. */
const URLS: Readonly<Record<Exclude<Advice['recommended'], 'pipe'>, string>> = {
  unix: 'unix:/tmp/example.sock',
  fifo: 'fifo:/tmp/example.fifo',
  'unix+seqpacket': 'unix+seqpacket:/tmp/example.sock',
  shm: 'shm:/example',
  mq: 'mq:/example',
  'sysv-mq': 'sysv-mq:0x6f63746f',
  tcp: 'tcp://127.0.0.1:7000',
  'nats+jetstream': 'nats+jetstream://127.0.0.1:4222/example',
};

/** Bytes of a queue's message if nothing is said. */
const QUEUE_DEFAULT = 8192;

/** Code to paste: one program for each side. */
export interface Snippets {
  readonly receiver: string;
  readonly sender: string;
}

/**
 * The code for what was recommended.
 *
 * @param recommended - the mechanism
 * @param need - what is needed
 * @returns a program for each side
 */
export function snippetsFor(recommended: Advice['recommended'], need: Need): Snippets {
  if (recommended === 'pipe') return PIPE;
  const url = URLS[recommended];
  const several = need.processes > 2 && (recommended === 'fifo' || recommended === 'shm');
  const options = [
    ...(several ? ['multipleSenders: true'] : []),
    ...(recommended === 'mq' && need.size > QUEUE_DEFAULT ? [`maxMessageSize: ${need.size}`] : []),
  ];
  const both = (made: string): string => `{ ${[made, ...options].filter(Boolean).join(', ')} }`;
  const given = options.length > 0 ? `, ${both('')}` : '';
  return {
    receiver: `import { openReceiver } from 'octoipc';

const receiver = await openReceiver('${url}', ${both('create: true')});
for await (const message of receiver) console.log(String(message));
`,
    sender: `import { openSender } from 'octoipc';

const sender = await openSender('${url}'${given});
await sender.send('hello');
sender.close();
`,
  };
}

/** The sender starts the receiver, which inherits the pipe as its descriptor 3. */
const PIPE: Snippets = {
  receiver: `// receiver.mjs
import { openReceiver } from 'octoipc';

const receiver = await openReceiver('pipe:3');
for await (const message of receiver) console.log(String(message));
`,
  sender: `import { pipe } from 'octoipc';

const { pipes } = pipe.spawnWithPipes(process.execPath, ['receiver.mjs'], {
  pipes: { 3: 'read' },
  stdio: 'inherit',
});
const sender = pipe.pipeSender(pipes[3]);
await sender.send('hello');
sender.close();
`,
};
