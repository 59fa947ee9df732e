import { openReceiver, openSender } from '../channels/entry.js';
import type { ReceiverOptions } from '../channels/options.js';
import { pipe } from '../index.js';

/** The peer's descriptors: what it is told, and what it says. */
export const TOLD = 3;
export const SAYS = 4;
/** Of the candidate `pipe`: from here and to here. */
export const PIPE_THERE = 5;
export const PIPE_BACK = 6;

/** What a message's first byte asks for: to be sent back, or only counted. */
export const ECHO = 1;
export const COUNT = 2;

/** What the peer is told. */
export interface Order {
  /** Where it receives. */
  readonly there: string;
  readonly options: ReceiverOptions;
  /** Where it sends to. */
  readonly back: string;
}

/** The second process of a measurement: sends back what asks for that, until the first one closes. */
export async function runChoosePeer(): Promise<void> {
  // A ^C is for both; the first process ends this one, which then removes what it has made.
  process.on('SIGINT', () => undefined);
  const told = pipe.PipeReader.fromFd(TOLD);
  const lines = told.lines();
  const { value } = await lines.next();
  const { there, options, back } = JSON.parse(value as string) as Order;
  const receiver = await openReceiver(there, options);
  const says = pipe.PipeWriter.fromFd(SAYS);
  await says.write(`${JSON.stringify(receiver.url)}\n`);
  says.close();
  const sender = await openSender(back);
  // However the first process ends, its end of this pipe goes with it.
  void lines.next().then(() => process.exit());
  for (;;) {
    const message = await receiver.receive();
    if (message === null) return;
    if (message[0] === ECHO) await sender.send(message);
  }
}
