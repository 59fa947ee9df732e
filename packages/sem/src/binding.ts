import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** Where a native function leaves the memory that it has mapped. */
export interface Holder {
  buffer?: ArrayBuffer;
}

/**
 * The native functions of this package; a negative result is -errno. A word is named by a region's index
 * and a byte offset in it.
 */
export interface SemBinding extends DescriptorBinding {
  fileOpen(path: string): number;
  /** How many bytes a regular file has; -EINVAL if it is none. */
  fileSize(fd: number): number;
  /** A new file of that content, complete before it has its name; its descriptor. */
  fileCreate(path: string, content: Uint8Array, size: number, mode: number): number;
  regionOfFile(fd: number, bytes: number, tracked: boolean, holder: Holder): number;
  /** -EINVAL where the memory is private. */
  regionOfMemory(memory: Uint8Array, holder: Holder): number;
  regionBorrow(memory: Uint8Array, view: object): number;
  regionClose(region: number): number;

  /** Negative milliseconds: for as long as it takes. */
  wordWait(region: number, offset: number, expected: number, milliseconds: number): number;
  wordWake(region: number, offset: number, count: number): number;
  wordWaiters(region: number, offset: number, value: number): number;

  bellOpen(fd: Int32Array): number;
  bellAnswer(bell: number, who: Int32Array): number;

  /** The buffer is of one pointer: what is stored there is announced to the kernel. */
  keeperOpen(tid: Int32Array, holder: Holder): number;
  /** `node` gets the pointer that announces the word; 0 where none does. */
  keeperAdd(keeper: number, region: number, offset: number, node: Uint8Array): number;
  keeperRemove(keeper: number, region: number, offset: number): number;
  /** Puts what is announced on the kernel's list. */
  keeperList(keeper: number): number;
  keeperUnlist(keeper: number, region: number, offset: number): number;
  /** 1 if the word was this thread's; then nothing is announced any more. */
  keeperRelease(
    keeper: number,
    region: number,
    offset: number,
    value: number,
    count: number,
  ): number;
  /** Sleeps while the word has the value, for as long as it takes; the keeper looks that no wake was lost. */
  keeperSleep(keeper: number, region: number, offset: number, expected: number): number;

  watchOpen(bell: number): number;
  watchArm(watch: number, region: number, offset: number, expected: number, who: number): number;
  watchDisarm(watch: number, who: number): number;

  /** 1: glibc's layout of sem_t, 2: musl's, 0: none that is known here. */
  readonly semFlavour: number;
  readonly semSize: number;
  readonly semAlign: number;
  semInit(memory: Uint8Array, value: number): number;

  readonly GETVAL: number;
  readonly SETVAL: number;
  readonly GETPID: number;
  readonly GETNCNT: number;
  readonly GETZCNT: number;
  readonly IPC_RMID: number;
  readonly IPC_NOWAIT: number;
  readonly SEM_UNDO: number;
  setGet(key: number, count: number, create: boolean, exclusive: boolean, mode: number): number;
  /** From now on operations are told in this array, as triples: index, delta, flags. */
  setTell(operations: Int32Array): number;
  /** What it was told of; all copies of this module in a thread have one binding. */
  readonly known: { told: Int32Array };
  /** So many operations; negative milliseconds: for as long as it takes. */
  setOperate(id: number, count: number, milliseconds: number): number;
  /** The same, without waiting. */
  setTry(id: number, count: number): number;
  setControl(id: number, index: number, command: number, value: number): number;
  setValues(id: number, out: Int32Array): number;
  setAllValues(id: number, values: Int32Array): number;
  /** Key, mode, uid, gid, cuid, cgid, count, times: as in sysv-status.ts. */
  setStat(id: number, out: Float64Array): number;
  setChange(id: number, mode: number, uid: number, gid: number): number;
  /** SEMMNI, SEMMNS, SEMMSL, SEMOPM, SEMVMX. */
  setLimits(out: Float64Array): number;
  ftok(path: string, project: number, key: Int32Array): number;

  waitOpen(bell: number, who: number): number;
  waitOperate(wait: number, id: number, operations: Int32Array): number;
  waitResult(wait: number): number;
  waitStop(wait: number): number;
}

/** The binding before its first use in a thread. */
type Told = Omit<SemBinding, 'known'> & { known?: { told: Int32Array } };

/** Numbers of operations for which there is room at first. */
const FEW = 3 * 64;

let loaded: SemBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): SemBinding {
  if (loaded === undefined) {
    const native = loadBinding<Told>(import.meta.url, 'sem');
    if (native.known === undefined) {
      native.known = { told: new Int32Array(FEW) };
      native.setTell(native.known.told);
    }
    // What Node-API has made is a dictionary to V8, in which each call would look its function up.
    loaded = { ...native, known: native.known };
  }
  return loaded;
}
