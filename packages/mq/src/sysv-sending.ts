import type { Bytes } from '@octoipc/core';
import { BLOCKED, integer, optionsObject, waitOptions, waitSync } from '@octoipc/core/kit';

import { SysvHandle } from './sysv-handle.js';
import type { SysvSendOptions } from './sysv-message.js';

/** A System V queue as who sends sees it. */
export abstract class SysvSending extends SysvHandle {
  /**
   * Sends a message; waits while the queue is full.
   *
   * @param message - bytes, or a string as UTF-8; it may change once this has returned
   * @param options - its type, and how long
   * @throws {IpcError} EMSGSIZE when it is longer than kernel.msgmax, or than the queue's maxBytes
   * @throws {IpcError} EIDRM when the queue was removed, before or while it waits
   * @throws {IpcError} EACCES when the queue's mode does not let this user send
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @see msgsnd(2)
   */
  send(message: Bytes, options?: SysvSendOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      const data = this.calls.bytesOf(message);
      const type = typeOf(options);
      this.check('msgsnd');
      return this.senders.run(data, type, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sends a message if there is room; whether it was sent. False too if others wait already. */
  trySend(message: Bytes, options?: Pick<SysvSendOptions, 'type'>): boolean {
    const data = this.calls.bytesOf(message);
    const type = typeOf(options);
    this.check('msgsnd');
    return this.senders.length === 0 && this.calls.put(data, type) !== BLOCKED;
  }

  /**
   * Sends a message; blocks this thread while the queue is full.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when sends wait already
   */
  sendSync(message: Bytes, options?: Omit<SysvSendOptions, 'signal'>): void {
    const { timeout } = waitOptions(options);
    const data = this.calls.bytesOf(message);
    const type = typeOf(options);
    this.check('msgsnd');
    this.refuseBlocking(this.senders.length, 'msgsnd');
    // One system call, where the first try and the sleep are two.
    if (this.calls.sleepsForEver(timeout) && this.calls.fits(data.length)) {
      if (this.calls.putFor(data, type, 0) !== BLOCKED) return;
    }
    this.#sendWaiting(data, type, timeout);
  }

  #sendWaiting(data: Uint8Array, type: number, timeout: number | undefined): void {
    let sent = false;
    waitSync<void>(
      () => (sent ? undefined : this.calls.put(data, type)),
      (milliseconds) => {
        sent = this.calls.putFor(data, type, this.calls.slice(milliseconds, timeout)) !== BLOCKED;
      },
      timeout,
      { details: this.details('msgsnd') },
    );
  }
}

function typeOf(options: Pick<SysvSendOptions, 'type'> | undefined): number {
  if (options === undefined) return 1;
  const { type = 1 } = optionsObject<SysvSendOptions>(options);
  return integer(type, 'options.type', 1);
}
