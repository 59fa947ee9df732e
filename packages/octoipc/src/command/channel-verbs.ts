import { InvalidArgumentError, type Command } from 'commander';

import { duration } from './duration.js';
import { positive, whole } from './filters.js';
import type { RecvOptions } from './recv.js';
import type { SendOptions } from './send.js';
import { addVerb, runVerb } from './verb.js';

const URLS = `
A channel's URL:
  pipe:3  fifo:/path  mq:/name  sysv-mq:0x1234  sysv-mq:id=5  shm:/ring
  unix:/path  unix:@abstract  unix+seqpacket:/path  unix+dgram:/path
  tcp://host:port  popen:command  nats://host:port/subject`;

const STATUSES = [
  ['0', 'all was sent, or received; or nobody reads the output any more'],
  ['1', 'it failed, or the time was over'],
] as const;

/** Adds the verbs for channels: send and recv. */
export function addChannelVerbs(octoipc: Command): void {
  addSend(octoipc);
  addRecv(octoipc);
}

function addSend(octoipc: Command): void {
  const verb = addVerb(octoipc, 'send', {
    summary: 'Send what standard input has, a line a message.',
    examples: [
      ['seq 1000 | octoipc send --create mq:/numbers', 'lines, by a queue that is made'],
      ['octoipc send --file picture.png unix:/run/x.sock', 'a file, to octoipc recv --file'],
      ['yes | octoipc send --count 500 --rate 50 shm:/ring', '50 a second, for 10 s'],
      ['echo now | octoipc send --priority 9 mq:/jobs', 'before all others'],
    ],
    statuses: STATUSES,
  });
  channelOptions(verb, 'sent')
    .option('--priority <n>', 'of each message, where the mechanism has priorities', (value) =>
      whole(value, 0),
    )
    .option('--type <n>', 'of each message, in a System V queue', (value) => whole(value))
    .action((url: string, options: SendOptions) =>
      runVerb('send', async () => (await import('./send.js')).send(url, options)),
    );
}

function addRecv(octoipc: Command): void {
  const verb = addVerb(octoipc, 'recv', {
    summary: 'Receive messages, and print each as a line.',
    examples: [
      ['octoipc recv --create fifo:/tmp/jobs', 'until the senders have left'],
      ['octoipc recv --count 1 --timeout 2s mq:/jobs', 'one message, or status 1 after 2 s'],
      ['octoipc recv --json sysv-mq:0x1234 | jq .message', 'a line of JSON for each'],
      [
        'octoipc recv --file copy.png --create unix:/run/x.sock',
        'a file, from octoipc send --file',
      ],
    ],
    statuses: STATUSES,
  });
  channelOptions(verb, 'received')
    .option('--keep', 'when the last sender has left, wait for the next')
    .option('--type <n>', 'of a System V queue: that type; below 0: the lowest up to it', anyWhole)
    .action((url: string, options: RecvOptions) =>
      runVerb('recv', async () => (await import('./recv.js')).recv(url, options)),
    );
}

function channelOptions(verb: Command, done: 'sent' | 'received'): Command {
  const where = done === 'sent' ? 'from standard input' : 'to standard output';
  return verb
    .argument('<url>', 'of the channel')
    .option('--lines', `lines ${where}, a message each (so it is, if nothing else is said)`)
    .option('--frames', `frames ${where}: a 4-byte little-endian length, then the message`)
    .option('--file <path>', 'a whole file, in messages of up to 64 KiB and an empty one')
    .option('-n, --count <n>', `stop when so many are ${done}`, (value) => whole(value))
    .option('--rate <n>', 'no more than so many a second', positive)
    .option('-c, --create', 'make what is missing')
    .option('--mode <octal>', 'permission bits of what is made', octalMode)
    .option('-t, --timeout <time>', 'for each wait: milliseconds, or like 2s', (value) =>
      duration(value),
    )
    .option('--max-size <bytes>', 'the longest message; the same on both ends', (value) =>
      whole(value),
    )
    .option('--many-senders', 'several processes send at once; the same on both ends')
    .option('-q, --quiet', 'no counts at the end')
    .addHelpText('after', URLS);
}

function octalMode(value: string): number {
  if (/^0?o?[0-7]{1,4}$/.test(value)) return Number.parseInt(value.replace(/^0?o/, ''), 8);
  throw new InvalidArgumentError('It is like 600 or 0660.');
}

function anyWhole(value: string): number {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It is a whole number.');
}
