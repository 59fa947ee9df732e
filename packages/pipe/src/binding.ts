import { KnownMemory, loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface PipeBinding extends DescriptorBinding {
  readonly pipeBuf: number;
  /** As much as one splice moves. */
  readonly chunk: number;
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
  /** The same with the memory of the last such call, which must be there still. */
  fillAgain(fd: number): number;
  putAgain(fd: number): number;
  /** That memory. It belongs to the binding, whichever copy of this module calls it. */
  known: { readonly filled: KnownMemory; readonly put: KnownMemory };
  fileType(fd: number): number;
  statusFlags(fd: number): number;
  setNonblocking(fd: number, nonblocking: boolean): number;
  available(fd: number): number;
  capacity(fd: number): number;
  setCapacity(fd: number, bytes: number): number;
  splice(from: number, to: number, length: number, sockets: boolean): number;
  tee(from: number, to: number, length: number): number;
  streamRoom(fd: number): number;
  isAtMark(fd: number): number;
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
  if (loaded === undefined) {
    loaded = loadBinding<PipeBinding>(import.meta.url, 'pipe');
    loaded.known ??= { filled: new KnownMemory(), put: new KnownMemory() };
  }
  return loaded;
}
