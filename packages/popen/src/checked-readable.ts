import type Stream from 'node:stream';
import type { Readable } from 'node:stream';

import type { PipeReader } from '@octoipc/pipe';

/**
 * A Node stream of what a program says, which fails where the program did.
 *
 * @param said - chunks, and the program's failure at their end
 * @param stdout - what they come from; closed with the stream, whoever waits for it
 * @param closed - told when the stream is
 */
export function checkedReadable(
  said: AsyncIterable<Buffer>,
  stdout: PipeReader,
  closed: () => void,
): Readable {
  const { Readable: NodeReadable } = require('node:stream') as typeof Stream;
  const readable = NodeReadable.from(said, { objectMode: false });
  const destroy = readable._destroy.bind(readable);
  readable._destroy = (error, callback) => {
    stdout.close();
    closed();
    destroy(error, callback);
  };
  return readable;
}
