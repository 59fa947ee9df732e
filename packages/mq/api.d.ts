// @octoipc/mq

import { WaitOptions, Bytes, Receiver, Sender } from '@octoipc/core';

import { FdHandle, ResourceHandle } from '@octoipc/core/kit';

interface LastUser {
  readonly pid: number;
  readonly alive: boolean;
}

interface ListOptions {
  readonly holders?: boolean | undefined;
}

interface Notification {
  readonly currentMessages: number;
}

type PosixAccess = 'send' | 'receive' | 'both';

interface PosixAttributes {
  readonly maxMessages: number;
  readonly maxMessageSize: number;
  readonly currentMessages: number;
}

declare abstract class PosixHandle extends FdHandle {
  readonly name: string;
  readonly access: PosixAccess;
  readonly maxMessageSize: number;
  get attributes(): PosixAttributes;
  get nonblocking(): boolean;
  set nonblocking(value: boolean);
  notifications(options?: WaitOptions): AsyncIterableIterator<Notification>;
  ref(): this;
  unref(): this;
  release(): number;
  close(): void;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

interface PosixMessage {
  readonly data: Buffer;
  readonly priority: number;
}

interface PosixOpenOptions {
  readonly create?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
  readonly access?: PosixAccess | undefined;
  readonly maxMessages?: number | undefined;
  readonly maxMessageSize?: number | undefined;
}

declare class PosixQueue extends PosixHandle implements AsyncIterable<PosixMessage> {
  static open(name: string, options?: PosixOpenOptions): PosixQueue;
  static fromFd(fd: number): PosixQueue;
  static unlink(name: string): void;
  static list(options?: ListOptions): PosixQueueInfo[];
  static limits(): PosixQueueLimits;
  send(message: Bytes, options?: PosixSendOptions): Promise<void>;
  trySend(
    message: Bytes,
    options?: {
      readonly priority?: number | undefined;
    },
  ): boolean;
  sendSync(message: Bytes, options?: Omit<PosixSendOptions, 'signal'>): void;
  receive(options?: PosixReceiveOptions): Promise<PosixMessage>;
  tryReceive(options?: Pick<PosixReceiveOptions, 'into'>): PosixMessage | undefined;
  receiveSync(options?: Omit<PosixReceiveOptions, 'signal'>): PosixMessage;
  receiveMany(options?: ReceiveManyOptions): Promise<PosixMessage[]>;
  [Symbol.asyncIterator](): AsyncIterableIterator<PosixMessage>;
}

interface PosixQueueInfo {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly maxMessages: number | null;
  readonly maxMessageSize: number | null;
  readonly currentMessages: number | null;
  readonly bytes: number | null;
  readonly notifyPid: number | null;
  readonly holders: readonly number[];
}

interface PosixQueueLimits {
  readonly maxMessages: number | null;
  readonly maxMessageSize: number | null;
  readonly defaultMaxMessages: number | null;
  readonly defaultMaxMessageSize: number | null;
  readonly maxQueues: number | null;
  readonly maxBytes: number;
  readonly maxPriority: number;
}

interface PosixReceiveOptions extends WaitOptions {
  readonly into?: Uint8Array | undefined;
}

interface PosixSendOptions extends WaitOptions {
  readonly priority?: number | undefined;
}

interface ReceiveManyOptions extends WaitOptions {
  readonly max?: number | undefined;
}

interface ReceivedFrom<Q extends PosixQueue | SysvQueue = PosixQueue | SysvQueue> {
  readonly queue: Q;
  readonly data: Buffer;
  readonly priority?: number;
  readonly type?: number;
}

interface SysvChanges {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly maxBytes?: number | undefined;
}

declare abstract class SysvHandle extends ResourceHandle {
  readonly key: number;
  get id(): number;
  get maxMessageSize(): number;
  stat(): SysvQueueStatus;
  setStat(changes: SysvChanges): void;
  remove(): void;
  close(): void;
  ref(): this;
  unref(): this;
  protected describe(): {
    syscall: string;
    target: string;
  };
}

type SysvKey =
  | number
  | 'private'
  | {
      readonly path: string;
      readonly project: number | string;
    };

interface SysvMessage {
  readonly data: Buffer;
  readonly type: number;
}

interface SysvOpenOptions {
  readonly create?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
}

declare class SysvQueue extends SysvSending implements AsyncIterable<SysvMessage> {
  static open(key: SysvKey, options?: SysvOpenOptions): SysvQueue;
  static fromId(id: number): SysvQueue;
  static remove(id: number): void;
  static list(): SysvQueueInfo[];
  receive(options?: SysvReceiveOptions): Promise<SysvMessage>;
  tryReceive(options?: SysvSelection & SysvTarget): SysvMessage | undefined;
  receiveSync(options?: Omit<SysvReceiveOptions, 'signal'>): SysvMessage;
  receiveMany(options?: SysvReceiveManyOptions): Promise<SysvMessage[]>;
  peek(index: number): SysvMessage | null;
  [Symbol.asyncIterator](): AsyncIterableIterator<SysvMessage>;
}

type SysvQueueInfo = Omit<SysvQueueStatus, 'maxBytes'> & {
  readonly maxBytes: number | null;
};

interface SysvQueueStatus {
  readonly id: number;
  readonly key: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  readonly bytes: number;
  readonly messages: number;
  readonly maxBytes: number;
  readonly lastSender: LastUser | null;
  readonly lastReceiver: LastUser | null;
  readonly lastSendTime: Date | null;
  readonly lastReceiveTime: Date | null;
  readonly changeTime: Date;
}

interface SysvReceiveManyOptions extends SysvSelection, WaitOptions {
  readonly max?: number | undefined;
}

interface SysvReceiveOptions extends SysvSelection, SysvTarget, WaitOptions {}

interface SysvSelection {
  readonly type?: number | undefined;
  readonly except?: boolean | number | undefined;
  readonly truncate?: boolean | number | undefined;
  readonly maxBytes?: number | undefined;
}

interface SysvSendOptions extends WaitOptions {
  readonly type?: number | undefined;
}

declare abstract class SysvSending extends SysvHandle {
  send(message: Bytes, options?: SysvSendOptions): Promise<void>;
  trySend(message: Bytes, options?: Pick<SysvSendOptions, 'type'>): boolean;
  sendSync(message: Bytes, options?: Omit<SysvSendOptions, 'signal'>): void;
}

interface SysvTarget {
  readonly into?: Uint8Array | undefined;
}

declare function ftok(path: string, project: number | string): number;

declare function mqReceiver(queue: PosixQueue | SysvQueue): Receiver;

declare function mqSender(queue: PosixQueue | SysvQueue): Sender;

declare function receiveAny<Q extends PosixQueue | SysvQueue>(
  queues: readonly Q[],
  options?: WaitOptions,
): Promise<ReceivedFrom<Q>>;

export {
  type LastUser,
  type ListOptions,
  type Notification,
  type PosixAccess,
  type PosixAttributes,
  type PosixMessage,
  type PosixOpenOptions,
  PosixQueue,
  type PosixQueueInfo,
  type PosixQueueLimits,
  type PosixReceiveOptions,
  type PosixSendOptions,
  type ReceiveManyOptions,
  type ReceivedFrom,
  type SysvChanges,
  type SysvKey,
  type SysvMessage,
  type SysvOpenOptions,
  SysvQueue,
  type SysvQueueInfo,
  type SysvQueueStatus,
  type SysvReceiveManyOptions,
  type SysvReceiveOptions,
  type SysvSelection,
  type SysvSendOptions,
  type SysvTarget,
  ftok,
  mqReceiver,
  mqSender,
  receiveAny,
};
