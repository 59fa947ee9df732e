/**
 * Named pipes: FIFOs that are opened without ever hanging, and waited for with a deadline.
 *
 * @packageDocumentation
 */
export {
  fifoReceiver,
  fifoSender,
  type FifoReceiverOptions,
  type FifoSenderOptions,
} from './channel.js';
export { isFifo, mkfifo, unlink, type MkfifoOptions } from './name.js';
export {
  openReader,
  openReaderSync,
  type OpenReaderOptions,
  type OpenReaderSyncOptions,
} from './open-reader.js';
export {
  openWriter,
  openWriterSync,
  tryOpenWriter,
  type OpenWriterOptions,
  type OpenWriterSyncOptions,
} from './open-writer.js';
export { FifoReader } from './reader.js';
export type { OpenOptions } from './request.js';
export { FifoWriter } from './writer.js';
