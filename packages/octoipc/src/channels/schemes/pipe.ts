import { checkOptions, badUrl, given, restOf } from '../check.js';
import type { ChannelOptions } from '../options.js';
import type { Scheme } from '../registry.js';

/** Frames over a pipe that this process has inherited, by its number. */
export const scheme: Scheme = {
  async sender(url, options) {
    const fd = checked(url, options);
    const { PipeWriter, pipeSender } = await import('@octoipc/pipe');
    return owning(PipeWriter.fromFd(fd), (writer) => pipeSender(writer, limits(options)));
  },
  async receiver(url, options) {
    const fd = checked(url, options);
    const { PipeReader, pipeReceiver } = await import('@octoipc/pipe');
    return owning(PipeReader.fromFd(fd), (reader) => pipeReceiver(reader, limits(options)));
  },
};

function checked(url: string, options: ChannelOptions): number {
  checkOptions('pipe', options, ['maxMessageSize'], 'one');
  const number = restOf(url);
  const fd = /^\d{1,10}$/.test(number) ? Number(number) : -1;
  if (fd < 0 || fd > 0x7fffffff) {
    throw badUrl('pipe', url, "must have a descriptor's number behind the colon");
  }
  return fd;
}

function limits({ maxMessageSize }: ChannelOptions): { maxMessageSize?: number } {
  return given({ maxMessageSize });
}

/** What is made of a handle, which is closed if that fails. */
export function owning<H extends { close(): unknown }, T>(handle: H, make: (handle: H) => T): T {
  try {
    return make(handle);
  } catch (error) {
    handle.close();
    throw error;
  }
}
