// Pipes and FIFOs.
import { once } from 'node:events';
import { join } from 'node:path';

import { later, PATIENT, same, scene } from '../scene.mjs';

/** What ends the waits of a scene with it. */
function ending(scope) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  scope.add(controller, abort);
  return { signal: controller.signal, abort };
}

export const STREAMS = {
  pipe: scene(async (scope) => {
    const { createPipe } = await import('@octoipc/pipe');
    const { reader, writer } = scope.add(createPipe({ capacity: 4096 }));
    writer.capacity = 8192;
    const read = later(reader.read(PATIENT));
    await writer.write('hello', PATIENT);
    same(await read, 'hello');
    writer.writeSync('again', PATIENT);
    same(reader.readSync(PATIENT), 'again');
  }),
  'pipe splice': scene(async (scope) => {
    const { createPipe, splice, tee } = await import('@octoipc/pipe');
    const [from, through, to] = [1, 2, 3].map(() => scope.add(createPipe()));
    const moved = later(splice(from.reader, through.writer, { length: 5, ...PATIENT }));
    await from.writer.write('hello', PATIENT);
    same(await moved, '5');
    same(await tee(through.reader, to.writer, { length: 5, ...PATIENT }), '5');
    same(await through.reader.read(PATIENT), 'hello');
    same(await to.reader.read(PATIENT), 'hello');
  }),
  'pipe spawnWithPipes': scene(async (scope) => {
    const { spawnWithPipes } = await import('@octoipc/pipe');
    const { child, pipes } = spawnWithPipes('cat', [], {
      pipes: { 0: 'read', 1: 'write' },
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const exited = later(once(child, 'exit'));
    scope.add(child, () => child.kill('SIGKILL'));
    scope.add(pipes[0]);
    scope.add(pipes[1]);
    await pipes[0].write('hello', PATIENT);
    pipes[0].close();
    same(await pipes[1].readAll(), 'hello');
    await exited;
  }),
  fifo: scene(async (scope) => {
    const { openReader, openWriter } = await import('@octoipc/fifo');
    const path = join(scope.folder(), 'fifo');
    const reader = scope.add(await openReader(path, { create: true }));
    const writer = scope.add(await openWriter(path, PATIENT));
    const read = later(reader.read(PATIENT));
    await writer.write('hello', PATIENT);
    same(await read, 'hello');
  }),
  'fifo waiting': scene(async (scope) => {
    const { openReader, openWriter } = await import('@octoipc/fifo');
    const path = join(scope.folder(), 'fifo');
    const { signal, abort } = ending(scope);
    // Both wait for one another, on threads.
    const open = (opener, options) =>
      opener(path, { create: true, ...options, ...PATIENT, signal }).then(
        (each) => scope.add(each),
        (error) => {
          // The other one would wait for it.
          abort();
          throw error;
        },
      );
    const opening = later(open(openWriter));
    const reader = later(open(openReader, { waitForWriter: true }));
    const writer = await opening;
    await writer.write('hello', PATIENT);
    same(await (await reader).read(PATIENT), 'hello');
  }),
};
