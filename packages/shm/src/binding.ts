import { loadBinding, type DescriptorBinding } from '@octoipc/core/kit';

/** The native functions of this package; a negative result is -errno. */
export interface ShmBinding extends DescriptorBinding {
  openObject(path: string, writable: boolean): number;
  /** Complete, `content` at its beginning. */
  createNameless(
    folder: string,
    path: string,
    size: number,
    mode: number,
    content: Uint8Array,
  ): number;
  createNamed(path: string, size: number, mode: number, content: Uint8Array): number;
  giveName(fd: number, path: string): number;
  unlink(path: string): number;
  /** `huge`: 0 usual pages, -1 the system's huge ones, else the logarithm of their size. */
  memfdCreate(name: string, size: number, sealable: boolean, huge: number): number;
  /** Size, type and mode, uid, gid, device, inode, access mode, page size. */
  fileStatus(fd: number, out: Float64Array): number;
  /** One more of the same, which nobody owns yet. */
  duplicate(fd: number): number;
  reserve(fd: number, from: number, to: number): number;
  truncate(fd: number, size: number): number;
  getSeals(fd: number): number;
  addSeals(fd: number, seals: number): number;

  mapOpen(fd: number, length: number, writable: boolean, page: number): number;
  mapAttach(id: number, length: number, writable: boolean): number;
  /** Once for each mapping. */
  mapBuffer(index: number): ArrayBuffer | SharedArrayBuffer | undefined;
  mapClose(index: number): number;
  /** 1 if the buffer is detached now. */
  mapCloseBuffer(index: number, buffer: object, neutral: boolean): number;
  /** The process's count of faults, one 32-bit word; undefined where memory cannot be seen so. */
  faultCount(): ArrayBuffer | undefined;
  /** Bits of FAULT; where the first was is left in `out`. */
  mapFaults(index: number, out: Float64Array): number;
  mapMend(index: number, source: number, attached: boolean): number;
  /** Seals the object, whose mapping becomes read-only where that is done. */
  mapSeal(index: number, fd: number, seals: number): number;
  mapRead(index: number, offset: number, into: Uint8Array): number;
  mapWrite(index: number, offset: number, bytes: Uint8Array): number;
  mapSync(index: number, offset: number, length: number, wait: boolean): number;
  mapAdvise(index: number, offset: number, length: number, advice: number): number;
  mapLock(index: number, offset: number, length: number, lock: boolean): number;
  readonly adviseNormal: number;
  readonly adviseRandom: number;
  readonly adviseSequential: number;
  readonly adviseWillNeed: number;
  readonly adviseDontNeed: number;
  readonly adviseHugePage: number;
  readonly adviseNoHugePage: number;
  readonly adviseDontFork: number;
  readonly adviseDoFork: number;
  readonly adviseDontDump: number;
  readonly adviseDoDump: number;

  futexOpen(fd: Int32Array): number;
  futexAdd(waiter: number, words: Int32Array, at: number, expected: number, who: number): number;
  futexRemove(waiter: number, thread: number, who: number): number;
  futexTake(waiter: number, who: Int32Array): number;
  futexSleep(words: Int32Array, at: number, expected: number, milliseconds: number): number;
  futexNotify(words: Int32Array, at: number, count: number): number;

  sysvGet(
    key: number,
    size: number,
    create: boolean,
    exclusive: boolean,
    mode: number,
    huge: boolean,
  ): number;
  /** In the order of sysv-status.ts. */
  sysvStat(id: number, out: Float64Array): number;
  sysvSet(id: number, mode: number, uid: number, gid: number): number;
  sysvRemove(id: number): number;
  sysvLock(id: number, lock: boolean): number;
  ftok(path: string, project: number, key: Int32Array): number;

  /** The low 32 bits of the start time; -ESRCH if it is dead. */
  processStart(pid: number): number;
  /** Leaves the seat at this offset of a mapping, which was just taken, at the latest with the thread. */
  ringSit(mapping: number, byteOffset: number): number;
  ringLeave(index: number): number;
  /** A socket that is bound to an abstract name, if it is not empty; `exclusive`: or -EADDRINUSE. */
  bellOpen(name: string, exclusive: boolean): number;
  bellRing(fd: number, name: string): number;
  bellDrain(fd: number): number;
  /** Offset and length of each message in `found`, and behind them the new head; how many. */
  ringDrain(
    data: Uint8Array,
    head: number,
    tail: number,
    longest: number,
    room: Uint8Array,
    used: number,
    found: Int32Array,
  ): number;

  /** `end` is an end's state, as native/broadcast.h has it. `role`: 0 producer, 1 the next, 2 the oldest. */
  broadcastJoin(memory: Uint8Array, end: Uint8Array, role: number): number;
  /** The bits of who slept. */
  broadcastSend(memory: Uint8Array, end: Uint8Array, message: Uint8Array): number;
  /** Offset and length of each message in `found`; how many. -ENOBUFS: in `found` how much room there must be. */
  broadcastTake(
    memory: Uint8Array,
    end: Uint8Array,
    room: Uint8Array,
    used: number,
    found: Int32Array,
  ): number;
  /** The bits of who slept, or -EBUSY. `slot`: its bytes. */
  valueSet(memory: Uint8Array, identity: Uint8Array, slot: number, bytes: Uint8Array): number;
  /** Its length; -EBUSY, -EBADMSG. */
  valueGet(memory: Uint8Array, identity: Uint8Array, slot: number, into: Uint8Array): number;
  acquireFence(): number;
}

let loaded: ShmBinding | undefined;

/** The binding, loaded at its first use. */
export function binding(): ShmBinding {
  loaded ??= loadBinding<ShmBinding>(import.meta.url, 'shm');
  return loaded;
}
