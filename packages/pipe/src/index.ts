/**
 * Anonymous pipes: pipe2(2) with packets, capacity, splice and tee, in this process and shared with
 * child processes.
 *
 * @packageDocumentation
 */
export { pipeReceiver, pipeSender } from './channel.js';
export { createPipe, type CreatePipeOptions, type Pipe } from './pipe.js';
export {
  PipeReader,
  type LinesOptions,
  type ReadAllOptions,
  type ReadOptions,
  type ReadSyncOptions,
} from './reader.js';
export { spawnWithPipes, type SpawnedWithPipes, type SpawnWithPipesOptions } from './spawn.js';
export {
  splice,
  spliceSync,
  tee,
  teeSync,
  trySplice,
  tryTee,
  type TransferEnd,
  type TransferOptions,
} from './splice.js';
export { PipeWriter, type WriteSyncOptions } from './writer.js';
