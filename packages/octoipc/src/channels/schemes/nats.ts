// The default import: webpack takes a named createRequire for a request to bundle what it loads.
import nodeModule from 'node:module';
import { join } from 'node:path';

import { IpcError } from '@octoipc/core';

import { checkCreation, checkOptions, given, shownUrl } from '../check.js';
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
    const { natsSender } = adapter(url);
    return natsSender(url, given(options) as never);
  },
  async receiver(url, options) {
    const name = nameOf(url);
    checkOptions(name, options, [...BOTH[name], ...RECEIVER[name]], 'many');
    checkCreation(options);
    const { natsReceiver } = adapter(url);
    return natsReceiver(url, given(options) as never);
  },
};

function nameOf(url: string): Name {
  return url.slice(0, url.indexOf(':')) as Name;
}

type Adapter = typeof import('@octoipc/nats');

/**
 * Looked for where the program runs, as the bindings are: a bundler would complain of an optional package that
 * is not there.
 */
function adapter(url: string): Adapter {
  const load = loader(import.meta.url);
  let file: string;
  try {
    file = load.resolve('@octoipc/nats');
  } catch (cause) {
    throw new IpcError('ERR_UNSUPPORTED', {
      target: shownUrl(url),
      text: 'the package @octoipc/nats is not installed',
      hint: 'npm install @octoipc/nats',
      cause,
    });
  }
  return load(file) as Adapter;
}

/** In a bundle of ES modules no module knows where it is. */
function loader(from: string | undefined): NodeJS.Require {
  return nodeModule.createRequire(from ?? process.argv[1] ?? join(process.cwd(), 'program'));
}
