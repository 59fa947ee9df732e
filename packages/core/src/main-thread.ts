import type WorkerThreads from 'node:worker_threads';

let main: boolean | undefined;

/** Whether this is the main thread; `node:worker_threads` brings all streams with it, so it is asked late. */
export function inMainThread(): boolean {
  return (main ??= (require('node:worker_threads') as typeof WorkerThreads).isMainThread);
}
