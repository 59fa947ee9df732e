// Message queues.
import { AFTERWARDS, later, PATIENT, same, scene, unique } from '../scene.mjs';

async function posix(scope) {
  const { PosixQueue } = await import('@octoipc/mq');
  const name = unique();
  AFTERWARDS.push(() => PosixQueue.unlink(name));
  return scope.add(
    PosixQueue.open(name, {
      create: true,
      temporary: true,
      maxMessages: 2,
      maxMessageSize: 64,
    }),
  );
}

async function sysv(scope) {
  const { SysvQueue } = await import('@octoipc/mq');
  const queue = scope.add(SysvQueue.open('private', { create: true, temporary: true }));
  const { id } = queue;
  AFTERWARDS.push(() => SysvQueue.remove(id));
  return queue;
}

export const QUEUES = {
  'mq POSIX': scene(async (scope) => {
    const queue = await posix(scope);
    const received = later(queue.receive(PATIENT));
    await queue.send('hello', PATIENT);
    same((await received).data, 'hello');
    queue.sendSync('again', PATIENT);
    same(queue.receiveSync(PATIENT).data, 'again');
  }),
  'mq notifications': scene(async (scope) => {
    const queue = await posix(scope);
    const notifications = queue.notifications(PATIENT);
    const first = later(notifications.next());
    await queue.send('hello', PATIENT);
    same((await first).value.currentMessages, '1');
    await notifications.return();
  }),
  'mq System V': scene(async (scope) => {
    const queue = await sysv(scope);
    const received = later(queue.receive(PATIENT));
    await queue.send('hello', PATIENT);
    same((await received).data, 'hello');
  }),
  'mq System V, full': scene(async (scope) => {
    const queue = await sysv(scope);
    queue.setStat({ maxBytes: 8 });
    await queue.send('12345678', PATIENT);
    const sent = later(queue.send('87654321', PATIENT));
    same((await queue.receive(PATIENT)).data, '12345678');
    await sent;
    same((await queue.receive(PATIENT)).data, '87654321');
  }),
  'mq receiveAny': scene(async (scope) => {
    const { receiveAny } = await import('@octoipc/mq');
    const queues = [await posix(scope), await sysv(scope)];
    for (const queue of queues) {
      const received = later(receiveAny(queues, PATIENT));
      await queue.send('hello', PATIENT);
      same((await received).data, 'hello');
    }
  }),
};
