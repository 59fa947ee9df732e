import type { WaitOptions } from '@octoipc/core';
import {
  AGAIN,
  BLOCKED,
  check,
  codeOfErrno,
  errorOf,
  FdHandle,
  POLLOUT,
  WaitQueue,
  waitSync,
} from '@octoipc/core/kit';

import { Backoff } from './backoff.js';
import { SO_ERROR, SOL_SOCKET } from './constants.js';
import { intOption, type SocketEnd } from './end.js';
import { showAddress, type SocketAddress } from './sockaddr.js';
import { Route } from './place.js';

/** A socket while it connects; it does not own the descriptor beyond that. */
class Pending extends FdHandle {
  readonly #end: SocketEnd;

  constructor(end: SocketEnd) {
    super(end.fd, end.binding);
    this.#end = end;
  }

  /** Waits for the answer of the other machine. */
  answered(options: WaitOptions): Promise<void> {
    const attempt = (): void | typeof BLOCKED => {
      if (check(this.#end.binding.poll(this.#end.fd, POLLOUT, 0), 'poll') === 0) return BLOCKED;
    };
    return this.queue('writable').run(attempt, options, { details: this.describe() });
  }

  /** The descriptor goes on, owned by the binding. */
  give(): void {
    this.release();
    this.#end.binding.adopt(this.#end.fd);
  }

  protected override describe(): { syscall: string; target: string | number } {
    return this.#end.details('connect');
  }
}

/**
 * connect(2): -EAGAIN where the backlog of a Unix server is full, of which the kernel gives no notice;
 * -EINPROGRESS where the other machine has to answer.
 */
export function beginConnect(end: SocketEnd, route: Route): number {
  const result = end.binding.connect(end.fd, route.bytes);
  return result < 0 && codeOfErrno(result) === 'EALREADY' ? IN_PROGRESS : result;
}

/** -EINPROGRESS. */
export const IN_PROGRESS = -115;

/** Whether the answer is still to come; what else failed throws. */
function isUnderWay(result: number, end: SocketEnd): boolean {
  if (result >= 0) return false;
  if (result === IN_PROGRESS) return true;
  const refused = codeOfErrno(result) === 'ECONNREFUSED';
  throw errorOf(result, 'connect', {
    target: end.target,
    hint: refused && typeof end.target === 'string' ? 'nobody listens there' : undefined,
  });
}

/** The verdict of a connection whose answer has come. */
function checkAnswer(end: SocketEnd): void {
  const error = check(intOption(end.fd, SOL_SOCKET, SO_ERROR), 'getsockopt');
  if (error !== 0) throw errorOf(-error, 'connect', { target: end.target });
}

/** Connects; the descriptor is the binding's whatever happens, and in blocking mode in the end. */
export async function connectEnd(
  end: SocketEnd,
  address: SocketAddress,
  wait: WaitOptions,
): Promise<void> {
  const route = new Route(address);
  try {
    end.target = showAddress(address);
    const attempt = (): number | typeof BLOCKED => {
      const result = beginConnect(end, route);
      return result === AGAIN ? BLOCKED : result;
    };
    const queue = new WaitQueue(new Backoff());
    const deadline = wait.timeout === undefined ? Infinity : performance.now() + wait.timeout;
    const result = await queue.run(attempt, wait, { details: end.details('connect') });
    if (isUnderWay(result, end)) {
      const pending = new Pending(end);
      try {
        const timeout = Math.max(0, deadline - performance.now());
        await pending.answered({ signal: wait.signal, timeout });
      } finally {
        pending.give();
      }
      checkAnswer(end);
    }
    end.binding.setNonblocking(end.fd, false);
  } finally {
    route.close();
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** {@link connectEnd} that blocks this thread. */
export function connectEndSync(end: SocketEnd, address: SocketAddress, timeout?: number): void {
  const route = new Route(address);
  try {
    end.target = showAddress(address);
    const operation = { details: end.details('connect') };
    const backoff = new Backoff();
    let underWay = false;
    waitSync<void>(
      () => {
        if (underWay) {
          if (check(end.binding.poll(end.fd, POLLOUT, 0), 'poll') === 0) return BLOCKED;
          checkAnswer(end);
          return undefined;
        }
        const result = beginConnect(end, route);
        if (result === AGAIN) return BLOCKED;
        underWay = isUnderWay(result, end);
        return underWay ? BLOCKED : undefined;
      },
      (milliseconds) => {
        if (underWay) end.binding.poll(end.fd, POLLOUT, milliseconds);
        else Atomics.wait(sleeper, 0, 0, Math.min(milliseconds, backoff.next()));
      },
      timeout,
      operation,
    );
    end.binding.setNonblocking(end.fd, false);
  } finally {
    route.close();
  }
}
