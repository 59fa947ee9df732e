import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface PipeBinding extends DescriptorBinding {
  readonly pipeBuf: number;
  /** 1 in the thread that the process began with, which nobody terminates. */
  readonly mainThread: 0 | 1;
  pipe(
    ends: Int32Array,
    packet: boolean,
    readerNonblocking: boolean,
    writerNonblocking: boolean,
  ): number;
  read(fd: number, into: Uint8Array, offset: number, length: number, nowait: boolean): number;
  write(fd: number, from: Uint8Array, offset: number, length: number, nowait: boolean): number;
  /** read and write of all of the memory, with what is quickest to pass. */
  fill(fd: number, into: Uint8Array): number;
  put(fd: number, from: Uint8Array): number;
  fileType(fd: number): number;
  statusFlags(fd: number): number;
  setNonblocking(fd: number, nonblocking: boolean): number;
  available(fd: number): number;
  capacity(fd: number): number;
  setCapacity(fd: number, bytes: number): number;
  splice(from: number, to: number, length: number): number;
  tee(from: number, to: number, length: number): number;
  duplicate(fd: number): number;
  transferStart(from: number, to: number, length: number): number;
  transferDone(index: number): number;
  transferMoved(index: number): number;
  transferResult(index: number): number;
  transferCancel(index: number): number;
  transferDrop(index: number): number;
}

let loaded: PipeBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): PipeBinding {
  loaded ??= loadBinding<PipeBinding>(import.meta.url, 'pipe');
  return loaded;
}
