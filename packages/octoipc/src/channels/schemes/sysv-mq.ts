import type { SysvQueue } from '@octoipc/mq';
import { valueError } from '@octoipc/core/kit';

import { badUrl, checkCreation, checkOptions, given, restOf } from '../check.js';
import type { ChannelOptions } from '../options.js';
import type { Scheme } from '../registry.js';
import { owning } from './pipe.js';

const BOTH = ['mode', 'temporary'] as const;

/** A System V message queue, by its key or its id. */
export const scheme: Scheme = {
  async sender(url, options) {
    const queue = await open(url, options);
    const { mqSender } = await import('@octoipc/mq');
    return owning(queue, mqSender);
  },
  async receiver(url, options) {
    const queue = await open(url, options);
    const { mqReceiver } = await import('@octoipc/mq');
    return owning(queue, mqReceiver);
  },
};

async function open(url: string, options: ChannelOptions): Promise<SysvQueue> {
  checkOptions('sysv-mq', options, BOTH, 'many');
  checkCreation(options);
  const { create, mode, temporary } = options;
  const name = restOf(url);
  const [, id] = /^id=(\d{1,10})$/.exec(name) ?? [];
  const key = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(name) ? Number(name) : Number.NaN;
  const number = id === undefined ? key : Number(id);
  if (!(number >= 0 && number <= (id === undefined ? 0xffff_ffff : 0x7fff_ffff))) {
    throw badUrl('sysv-mq', url, 'must have a key of 32 bits, or id= and a number');
  }
  if (key === 0) {
    throw badUrl('sysv-mq', url, 'has the key 0, IPC_PRIVATE: nobody else would find that queue');
  }
  const { SysvQueue: Queue } = await import('@octoipc/mq');
  if (id === undefined) return Queue.open(key, given({ create, mode, temporary }));
  if (create === true || temporary === true) {
    throw valueError('options.create', 'makes no queue with an id of your choice', create);
  }
  return Queue.fromId(number);
}
