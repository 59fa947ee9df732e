import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface FifoBinding extends DescriptorBinding {
  readonly pipeBuf: number;
  mkfifo(path: string, mode: number): number;
  open(path: string, write: boolean): number;
  openPath(path: string): number;
  fileType(fd: number): number;
  owner(fd: number): number;
  hasWriter(fd: number): number;
  sleepUntilEdge(fd: number, milliseconds: number): number;
  openingStart(fd: number, write: boolean): number;
  openingDone(index: number): number;
  openingResult(index: number): number;
  openingTake(index: number): number;
  openingDrop(index: number): number;
}

let loaded: FifoBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): FifoBinding {
  loaded ??= loadBinding<FifoBinding>(`${__dirname}/../package.json`, 'fifo');
  return loaded;
}
