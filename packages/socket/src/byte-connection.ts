import type { Bytes, ByteWriter, WaitOptions } from '@octoipc/core';
import {
  AGAIN,
  busyError,
  bytes,
  check,
  errorOf,
  valueError,
  waitOptions,
  waitSync,
  writingAll,
  type Attempt,
  type Operation,
  type WriteSyncOptions,
} from '@octoipc/core/kit';

import { ByteInput } from './byte-input.js';

/**
 * The bytes of a connection: reading and writing as pipes have them.
 *
 * On a seqpacket connection each write is a packet and each read gives one; what does not fit into
 * `maxBytes` is dropped, as recv(2) has it.
 */
export abstract class ByteConnection extends ByteInput implements ByteWriter {
  /**
   * Writes all of the data; resolves when the kernel has taken it.
   *
   * @throws {IpcError} EPIPE when the other side has closed, or `end()` was called
   * @throws {IpcError} EMSGSIZE when it is longer than a packet can be
   * @throws {IpcError} ETIMEDOUT when the timeout is over; `bytesWritten` tells what was taken (an abort
   *   puts it on the signal's reason, if that is an object)
   * @see send(2)
   */
  write(data: Bytes, options?: WaitOptions): Promise<void> {
    try {
      const { attempt, operation } = this.#writing(data);
      const wait = waitOptions(options);
      return this.waitFor('writable', attempt, wait, operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Writes what fits now.
   *
   * @returns how many bytes were taken; 0 if there is no room, or others wait already
   * @throws {IpcError} EPIPE when the other side has closed
   */
  tryWrite(data: Bytes): number {
    const view = this.#outgoing(data);
    if (view.length === 0 || this.isWaiting('writable')) return 0;
    return this.#put(view, 0, view.length);
  }

  /**
   * Writes all of the data; blocks this thread while there is no room.
   *
   * @throws {IpcError} EPIPE when the other side has closed
   * @throws {IpcError} ETIMEDOUT when the timeout is over; `bytesWritten` tells what was taken
   * @throws {IpcError} EBUSY when writes wait already
   */
  writeSync(data: Bytes, options?: WriteSyncOptions): void {
    const view = this.#outgoing(data);
    const { timeout } = waitOptions(options);
    if (this.isWaiting('writable')) throw busyError(this.socket.details('send'));
    let written = 0;
    if (timeout === undefined) {
      written = this.#putSleeping(view);
      if (written === view.length) return;
    }
    const { attempt, operation } = this.#writing(view, written);
    waitSync(attempt, (milliseconds) => this.sleep('writable', milliseconds), timeout, operation);
  }

  /**
   * Shuts one direction down at once.
   *
   * @internal
   */
  shutdown(how: number): void {
    const result = this.socket.binding.shutdown(this.fd, how);
    // Over TCP a peer that has reset the connection leaves nothing to shut down.
    if (result < 0 && errorOf(result, 'shutdown').code === 'ENOTCONN') return;
    check(result, 'shutdown', { target: this.socket.target });
  }

  #outgoing(data: Bytes): Uint8Array {
    const view = bytes(data);
    this.checkOpen('send');
    return view;
  }

  #writing(data: Bytes, begun = 0): { attempt: Attempt<void>; operation: Operation } {
    const view = this.#outgoing(data);
    const { length } = view;
    const put = (written: number): number => {
      if (view.length === length) return this.#put(view, written, length);
      throw Object.assign(
        valueError('data', 'was detached or resized while it was being written', view),
        { bytesWritten: written },
      );
    };
    return writingAll(put, length, begun, this.socket.details('send'));
  }

  /** One send; 0 if there is no room. */
  #put(view: Uint8Array, written: number, length: number): number {
    const count = this.socket.write(view, written, length - written);
    if (count >= 0) return count;
    if (count === AGAIN) return 0;
    throw errorOf(count, 'send', { target: this.socket.target, bytesWritten: written });
  }

  /** Where this thread may, sleeps in send(2) itself; how many bytes it wrote. */
  #putSleeping(view: Uint8Array): number {
    const { length } = view;
    let written = 0;
    while (written < length) {
      const count = this.socket.writeSleeping(view, written, length - written);
      if (count < 0) {
        if (count === AGAIN) break;
        throw errorOf(count, 'send', { target: this.socket.target, bytesWritten: written });
      }
      written += count;
    }
    return written;
  }
}
