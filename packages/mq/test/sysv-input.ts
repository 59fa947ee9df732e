import type { BadInputAdapter } from '@octoipc/conformance';
import { ftok, receiveAny, SysvQueue } from '@octoipc/mq';

const isWait = (milliseconds: number): boolean => milliseconds >= 0;
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

export const input: BadInputAdapter = {
  name: 'SysvQueue',
  mechanism: 'SVMSG',
  open() {
    const queue = SysvQueue.open('private', { temporary: true });
    queue.sendSync('something');
    return {
      numbers: {
        'open()': {
          call: (key: never) => SysvQueue.open(key, { temporary: true }).close(),
          accepts: (value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32,
        },
        'open({ mode })': (mode: never) =>
          SysvQueue.open('private', { temporary: true, mode }).close(),
        'remove()': (id: never) => SysvQueue.remove(id),
        'fromId()': (id: never) => SysvQueue.fromId(id),
        'send({ type })': {
          call: (type: never) => queue.send('x', { type }),
          accepts: isCount,
        },
        'trySend({ type })': {
          call: (type: never) => queue.trySend('x', { type }),
          accepts: isCount,
        },
        'receive({ type })': {
          call: (type: never) => queue.receive({ type }),
          accepts: Number.isSafeInteger,
        },
        'receive({ maxBytes })': (maxBytes: never) => queue.receive({ maxBytes }),
        'receive({ timeout })': {
          call: (timeout: never) => queue.receive({ timeout }),
          accepts: isWait,
        },
        'receiveSync({ timeout })': {
          call: (timeout: never) => queue.receiveSync({ timeout }),
          accepts: isWait,
        },
        'receiveMany({ max })': {
          call: (max: never) => queue.receiveMany({ max }),
          accepts: isCount,
        },
        'peek()': (index: never) => queue.peek(index),
        'setStat({ mode })': (mode: never) => queue.setStat({ mode }),
        'setStat({ uid })': {
          call: (uid: never) => queue.setStat({ uid }),
          accepts: (value) => value === 2 ** 31,
        },
      },
      options: {
        'open()': (options: never) => SysvQueue.open('private', options),
        'send()': (options: never) => queue.send('x', options),
        'trySend()': (options: never) => queue.trySend('x', options),
        'sendSync()': (options: never) => queue.sendSync('x', options),
        'receive()': (options: never) => queue.receive(options),
        'tryReceive()': (options: never) => queue.tryReceive(options),
        'receiveSync()': (options: never) => queue.receiveSync(options),
        'receiveMany()': (options: never) => queue.receiveMany(options),
        'receiveAny()': (options: never) => receiveAny([queue], options),
        'setStat()': (options: never) => queue.setStat(options),
      },
      waits: {
        'send()': (options: never) => queue.send('x', options),
        'receive()': (options: never) => queue.receive(options),
        'receiveMany()': (options: never) => queue.receiveMany(options),
        'receiveAny()': (options: never) => receiveAny([queue], options),
      },
      data: {
        'send()': (data: never) => queue.send(data),
        'trySend()': (data: never) => queue.trySend(data),
        'sendSync()': (data: never) => queue.sendSync(data),
      },
      names: { 'ftok()': (path: never) => ftok(path, 1) },
      methods: [
        {
          of: queue,
          names: ['send', 'trySend', 'sendSync', 'receive', 'tryReceive', 'receiveSync'],
        },
        { of: queue, names: ['receiveMany', 'peek', 'stat', 'setStat', 'remove', 'id'] },
        { of: queue, names: ['close', 'closed', 'ref', 'unref'] },
      ],
      state: () => [queue.stat(), queue.closed],
      close: () => queue.close(),
    };
  },
};
