import { IpcError, isIpcError } from '@octoipc/core';
import type { ShmRing } from '@octoipc/shm';

import { checkCreation, checkOptions, given, posixName } from '../check.js';
import type { ChannelOptions } from '../options.js';
import type { Scheme } from '../registry.js';
import { owning } from './pipe.js';

const BOTH = ['mode', 'temporary', 'capacity', 'maxMessageSize'] as const;

const CAPACITY = 1024 * 1024;

/** A ring may come and go between two calls: so often is it tried to attach to or to create it. */
const ATTEMPTS = 100;

/** A ring in shared memory. */
export const scheme: Scheme = {
  async sender(url, options) {
    const ring = await open(url, options);
    const { shmSender } = await import('@octoipc/shm');
    return owning(ring, shmSender);
  },
  async receiver(url, options) {
    const ring = await open(url, options);
    const { shmReceiver } = await import('@octoipc/shm');
    return owning(ring, shmReceiver);
  },
};

async function open(url: string, options: ChannelOptions): Promise<ShmRing> {
  checkOptions('shm', options, BOTH, 'option');
  checkCreation(options);
  const name = posixName('shm', url);
  const { capacity = CAPACITY, mode, maxMessageSize, multipleSenders } = options;
  const temporary = options.temporary ?? false;
  const create = options.create ?? temporary;
  const { ShmRing: Ring } = await import('@octoipc/shm');
  const producers = multipleSenders === true ? ('multiple' as const) : undefined;
  const wanted = given({ mode, maxMessageSize, producers });
  for (let attempt = 1; ; attempt++) {
    try {
      return owning(Ring.attach(name), (ring) => agreeing(ring, url, options));
    } catch (error) {
      if (!create || !isIpcError(error, 'ENOENT')) throw error;
    }
    try {
      return Ring.create(name, { capacity, temporary, ...wanted });
    } catch (error) {
      if (!isIpcError(error, 'EEXIST') || attempt === ATTEMPTS) throw error;
    }
  }
}

/** A ring that was made by somebody else, if it can do what is asked. */
function agreeing(ring: ShmRing, url: string, options: ChannelOptions): ShmRing {
  const { multipleSenders, maxMessageSize } = options;
  const details = { syscall: 'mmap', target: url };
  if (multipleSenders !== undefined && multipleSenders !== (ring.producers === 'multiple')) {
    throw new IpcError('ERR_UNSUPPORTED', {
      ...details,
      text: `the ring has ${ring.producers === 'multiple' ? 'many senders' : 'one sender'}`,
      hint: 'the one who creates it decides: give both ends the same multipleSenders',
    });
  }
  if (maxMessageSize !== undefined && maxMessageSize > ring.maxMessageSize) {
    throw new IpcError('ERR_UNSUPPORTED', {
      ...details,
      text: `the ring takes messages of up to ${ring.maxMessageSize} bytes`,
      hint: 'the one who creates it decides: give both ends the same maxMessageSize',
    });
  }
  return ring;
}
