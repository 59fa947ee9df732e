import { IpcError } from '@octoipc/core';

import { checkCreation, checkOptions, given } from '../check.js';
import type { ReceiverOptions, SenderOptions } from '../options.js';
import type { BuiltIn, Scheme } from '../registry.js';

type Name = Extract<BuiltIn, 'nats' | 'nats+jetstream'>;
type Option = keyof ReceiverOptions & keyof SenderOptions;

const BOTH: { readonly [name in Name]: readonly Option[] } = {
  nats: ['connection'],
  'nats+jetstream': ['connection', 'stream', 'maxMessages'],
};

const RECEIVER: { readonly [name in Name]: readonly (keyof ReceiverOptions)[] } = {
  nats: ['queue', 'prefetch'],
  'nats+jetstream': ['queue', 'prefetch', 'acknowledge', 'ackWait'],
};

/** NATS, beyond one machine: an adapter of its own, which is installed where it is wanted. */
export const scheme: Scheme = {
  async sender(url, options) {
    const name = nameOf(url);
    checkOptions(name, options, BOTH[name], 'many');
    checkCreation(options);
    const { natsSender } = await adapter(url);
    return natsSender(url, given(options) as never);
  },
  async receiver(url, options) {
    const name = nameOf(url);
    checkOptions(name, options, [...BOTH[name], ...RECEIVER[name]], 'many');
    checkCreation(options);
    const { natsReceiver } = await adapter(url);
    return natsReceiver(url, given(options) as never);
  },
};

function nameOf(url: string): Name {
  return url.slice(0, url.indexOf(':')) as Name;
}

async function adapter(url: string): Promise<typeof import('@octoipc/nats')> {
  try {
    return await import('@octoipc/nats');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new IpcError('ERR_UNSUPPORTED', {
      target: url,
      text: 'the package @octoipc/nats is not installed',
      hint: 'npm install @octoipc/nats',
      cause,
    });
  }
}
