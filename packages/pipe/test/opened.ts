import { createPipe, type CreatePipeOptions, type Pipe } from '@octoipc/pipe';
import { onTestFinished } from 'vitest';

/** A pipe for one test. */
export function opened(options?: CreatePipeOptions): Pipe {
  const pipe = createPipe(options);
  onTestFinished(() => pipe.close());
  return pipe;
}

/** A pipe that is full to its last byte. */
export function filled(options?: CreatePipeOptions): Pipe {
  const pipe = opened(options);
  pipe.writer.writeSync(Buffer.alloc(pipe.writer.capacity, 'f'));
  return pipe;
}

/** Turns of the event loop, so that whatever could happen by itself has happened. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether a promise is still pending after some turns of the loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await turns();
  return !settled;
}
