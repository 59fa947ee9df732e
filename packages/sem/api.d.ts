// @octoipc/sem

import { WaitOptions } from '@octoipc/core';

import { ResourceHandle } from '@octoipc/core/kit';

declare class Barrier extends WordHandle {
  static readonly byteLength: number;
  readonly parties: number;
  static open(name: string, options?: BarrierOpenOptions): Barrier;
  static at(memory: LockMemory, byteOffset: number, options?: BarrierAtOptions): Barrier;
  static unlink(name: string): void;
  static list(): (LockFile & {
    readonly parties: number | null;
  })[];
  get arrived(): number;
  arrive(options?: WaitOptions): Promise<boolean>;
  arriveSync(options?: Omit<WaitOptions, 'signal'>): boolean;
  close(): void;
  ref(): this;
  unref(): this;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

type BarrierAtOptions = LockAtOptions & BarrierOptions;

type BarrierOpenOptions = NamedOpenOptions & BarrierOptions;

interface BarrierOptions {
  readonly parties?: number | undefined;
}

declare class Condition extends WordHandle {
  static readonly byteLength: number;
  static open(name: string, options?: NamedOpenOptions): Condition;
  static at(memory: LockMemory, byteOffset: number, options?: LockAtOptions): Condition;
  static unlink(name: string): void;
  static list(): LockFile[];
  get waiters(): number;
  wait(guard: Guard, options?: WaitOptions): Promise<Guard>;
  waitSync(guard: Guard, options?: Omit<WaitOptions, 'signal'>): Guard;
  notify(n?: number): number;
  notifyAll(): number;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

interface DeadOwner {
  readonly pid: number;
}

interface Guard extends Disposable {
  readonly recovered: DeadOwner | null;
  readonly held: boolean;
  markConsistent(): void;
  poison(): void;
  unlock(): void;
}

interface LockAtOptions {
  readonly init?: boolean | undefined;
}

interface LockFile {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

type LockInfo = LockFile & {
  readonly owner: LockOwner | null;
};

type LockMemory =
  | ArrayBufferLike
  | ArrayBufferView
  | {
      readonly buffer: ArrayBufferLike;
      readonly closed?: boolean;
    };

interface LockOwner {
  readonly pid: number;
  readonly alive: boolean;
}

declare class Mutex extends WordHandle {
  static readonly byteLength = 64;
  static open(name: string, options?: NamedOpenOptions): Mutex;
  static at(memory: LockMemory, byteOffset: number, options?: LockAtOptions): Mutex;
  static unlink(name: string): void;
  static list(): LockInfo[];
  static reset(name: string): boolean;
  get owner(): LockOwner | null;
  get waiters(): number;
  lock(options?: WaitOptions): Promise<Guard>;
  tryLock(): Guard | null;
  lockSync(options?: Omit<WaitOptions, 'signal'>): Guard;
  withLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T>;
  reset(): boolean;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

interface NamedOpenOptions {
  readonly create?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
}

interface Permit extends Disposable {
  readonly released: boolean;
  release(): void;
}

declare class PosixSemaphore extends WordHandle {
  static open(name: string, options?: SemaphoreOpenOptions): PosixSemaphore;
  static at(memory: LockMemory, byteOffset: number, options?: SemaphoreAtOptions): PosixSemaphore;
  static unlink(name: string): void;
  static list(): SemaphoreInfo[];
  get value(): number;
  acquire(options?: WaitOptions): Promise<Permit>;
  tryAcquire(): Permit | null;
  acquireSync(options?: Omit<WaitOptions, 'signal'>): Permit;
  release(count?: number): void;
  withPermit<T>(run: () => T | Promise<T>, options?: WaitOptions): Promise<T>;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

declare class RwLock extends WordHandle {
  static readonly byteLength: number;
  static open(name: string, options?: NamedOpenOptions): RwLock;
  static at(memory: LockMemory, byteOffset: number, options?: LockAtOptions): RwLock;
  static unlink(name: string): void;
  static list(): LockInfo[];
  static reset(name: string): boolean;
  get owner(): LockOwner | null;
  get readers(): number[];
  get waiters(): number;
  readLock(options?: WaitOptions): Promise<Guard>;
  tryReadLock(): Guard | null;
  readLockSync(options?: Omit<WaitOptions, 'signal'>): Guard;
  writeLock(options?: WaitOptions): Promise<Guard>;
  tryWriteLock(): Guard | null;
  writeLockSync(options?: Omit<WaitOptions, 'signal'>): Guard;
  withReadLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T>;
  withWriteLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T>;
  reset(): boolean;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

interface SemaphoreAtOptions {
  readonly init?: boolean | undefined;
  readonly value?: number | undefined;
}

interface SemaphoreInfo {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly value: number | null;
}

interface SemaphoreOpenOptions extends NamedOpenOptions {
  readonly value?: number | undefined;
}

type SysvKey =
  | number
  | 'private'
  | {
      readonly path: string;
      readonly project: number | string;
    };

interface SysvOperation {
  readonly index: number;
  readonly delta: number;
  readonly undo?: boolean | undefined;
  readonly noWait?: boolean | undefined;
}

declare class SysvSemaphoreSet extends SysvSetHandle {
  static open(key: SysvKey, options?: SysvSetOpenOptions): SysvSemaphoreSet;
  static fromId(id: number): SysvSemaphoreSet;
  static remove(id: number): void;
  static list(): SysvSetStatus[];
  static limits(): SysvSetLimits;
  operate(operations: readonly SysvOperation[], options?: WaitOptions): Promise<void>;
  tryOperate(operations: readonly SysvOperation[]): boolean;
  operateSync(operations: readonly SysvOperation[], options?: Omit<WaitOptions, 'signal'>): void;
}

interface SysvSetChanges {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

declare abstract class SysvSetHandle extends ResourceHandle {
  readonly key: number;
  get id(): number;
  get count(): number;
  get values(): number[];
  set values(values: readonly number[]);
  get(index: number): number;
  set(index: number, value: number): void;
  waiting(index: number): {
    increase: number;
    zero: number;
  };
  lastPid(index: number): number;
  stat(): SysvSetStatus;
  setStat(changes: SysvSetChanges): void;
  remove(): void;
  close(): void;
  ref(): this;
  unref(): this;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

interface SysvSetLimits {
  readonly sets: number;
  readonly semaphores: number;
  readonly semaphoresPerSet: number;
  readonly operations: number;
  readonly value: number;
}

interface SysvSetOpenOptions extends NamedOpenOptions {
  readonly count?: number | undefined;
  readonly values?: readonly number[] | undefined;
}

interface SysvSetStatus {
  readonly id: number;
  readonly key: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  readonly count: number;
  readonly operateTime: Date | null;
  readonly changeTime: Date;
}

declare abstract class WordHandle extends ResourceHandle {
  close(): void;
  ref(): this;
  unref(): this;
}

export {
  Barrier,
  type BarrierAtOptions,
  type BarrierOpenOptions,
  type BarrierOptions,
  Condition,
  type DeadOwner,
  type Guard,
  type LockAtOptions,
  type LockFile,
  type LockInfo,
  type LockMemory,
  type LockOwner,
  Mutex,
  type NamedOpenOptions,
  type Permit,
  PosixSemaphore,
  RwLock,
  type SemaphoreAtOptions,
  type SemaphoreInfo,
  type SemaphoreOpenOptions,
  type SysvKey,
  type SysvOperation,
  SysvSemaphoreSet,
  type SysvSetChanges,
  type SysvSetLimits,
  type SysvSetOpenOptions,
  type SysvSetStatus,
};
