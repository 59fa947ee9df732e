import { closedError, integer, IpcError, optionsObject, ResourceHandle } from '@octoipc/core/kit';

import { SysvCalls } from './sysv-calls.js';
import type { OpenedSysvQueue } from './sysv-open.js';
import { SysvReceivers } from './sysv-receivers.js';
import { SysvSenders } from './sysv-senders.js';
import { readStatus, type SysvQueueStatus } from './sysv-status.js';

/** What `setStat` changes. */
export interface SysvChanges {
  /** Permission bits. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** The most bytes of all messages. */
  readonly maxBytes?: number | undefined;
}

const MOST = 0xffff_fffe;

/** A System V queue's id, and all that is not sending and receiving. */
export abstract class SysvHandle extends ResourceHandle {
  /** The key, unsigned; 0 for a private queue, unless it is temporary. */
  readonly key: number;
  /** @internal */
  protected readonly calls: SysvCalls;
  /** @internal */
  protected readonly receivers: SysvReceivers;
  /** @internal */
  protected readonly senders: SysvSenders;

  /** @internal */
  protected constructor({ id, key, target, temporary }: OpenedSysvQueue) {
    super({ release: () => temporary?.end() });
    this.key = key;
    this.calls = new SysvCalls(id, target);
    this.receivers = new SysvReceivers(this.calls, this);
    this.senders = new SysvSenders(this.calls, this);
  }

  /** The kernel's number of the queue. */
  get id(): number {
    this.check('msgget');
    return this.calls.id;
  }

  /** Bytes of the longest message that can be sent: kernel.msgmax, as it was when it was first needed. */
  get maxMessageSize(): number {
    return this.calls.maxMessageSize;
  }

  /**
   * What the queue is, what it holds, and who used it last.
   *
   * @throws {IpcError} EIDRM when it was removed; EACCES when its mode does not let this user read
   */
  stat(): SysvQueueStatus {
    this.check('msgctl');
    const status = readStatus(this.calls.binding, this.calls.id);
    if (typeof status === 'number') throw this.calls.error(status, 'msgctl');
    return status;
  }

  /**
   * Changes mode, owner or size.
   *
   * @throws {IpcError} EPERM when it is another user's, or `maxBytes` over kernel.msgmnb
   */
  setStat(changes: SysvChanges): void {
    const { mode, uid, gid, maxBytes } = optionsObject<SysvChanges>(changes, 'changes');
    const values = [
      mode === undefined ? -1 : integer(mode, 'changes.mode', 0, 0o777),
      uid === undefined ? -1 : integer(uid, 'changes.uid', 0, MOST),
      gid === undefined ? -1 : integer(gid, 'changes.gid', 0, MOST),
      maxBytes === undefined ? -1 : integer(maxBytes, 'changes.maxBytes', 0),
    ] as const;
    this.check('msgctl');
    const result = this.calls.binding.sysvSet(this.calls.id, ...values);
    this.calls.forgetSize();
    if (result < 0) throw this.calls.error(result, 'msgctl');
  }

  /** Removes the queue and all messages, for everybody, at once, and closes the handle. */
  remove(): void {
    this.check('msgctl');
    const result = this.calls.binding.sysvRemove(this.calls.id);
    if (result < 0) throw this.calls.error(result, 'msgctl');
    this.#end(new IpcError('EIDRM', this.details('msgctl')));
  }

  /** Pending waits reject with `ERR_CLOSED`; a temporary queue is removed. */
  override close(): void {
    if (!this.closed) this.#end(undefined);
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#setAlive(true);
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    return this.#setAlive(false);
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('msgrcv');
  }

  /** @internal */
  protected details(syscall: string): { syscall: string; target: string } {
    return { syscall, target: this.calls.target };
  }

  /** @internal */
  protected check(syscall: string): void {
    if (this.closed) throw closedError(this.details(syscall));
  }

  /** @internal */
  protected refuseBlocking(waiting: number, syscall: string): void {
    if (waiting === 0) return;
    throw new IpcError('EBUSY', {
      ...this.details(syscall),
      hint: 'asynchronous calls wait on this handle: await them before a blocking one',
    });
  }

  #setAlive(alive: boolean): this {
    this.receivers.ref(alive);
    this.senders.ref(alive);
    return this;
  }

  /** An error costs a stack trace: without one it is made only if somebody waits. */
  #end(error: IpcError | undefined): void {
    if (this.receivers.length > 0) {
      this.receivers.fail(error ?? closedError(this.details('msgrcv')));
    }
    if (this.senders.length > 0) this.senders.fail(error ?? closedError(this.details('msgsnd')));
    super.close();
  }
}
