// Message queues.
import { PosixQueue, SysvQueue } from '@octoipc/mq';

import { temporary, token } from '../scene.mjs';

export const QUEUES = {
  'mq POSIX': temporary('mq', {
    open: ({ name }, options) =>
      PosixQueue.open(name, { maxMessages: 4, maxMessageSize: 64, ...options }),
    unlink: ({ name }) => PosixQueue.unlink(name),
    same(own, again) {
      const sent = token();
      own.trySend(sent);
      return String(again.tryReceive()?.data) === sent;
    },
  }),
  'mq System V': temporary('mq', {
    open: ({ key }, options) => SysvQueue.open(key, options),
    unlink: ({ key }) => {
      const queue = SysvQueue.open(key);
      queue.remove();
      queue.close();
    },
    same: (own, again) => own.id === again.id,
  }),
};
