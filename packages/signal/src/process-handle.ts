import type { IpcErrorDetails } from '@octoipc/core';
import { BLOCKED, check, codeOfErrno, FdHandle, integer, IpcError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { nameOf, numberOf, type Signal, type SignalName } from './names.js';
import { sent } from './sent.js';
import { wordsOfValue, type SendOptions } from './value.js';

/** How a process has ended: with a status, or by a signal. */
export interface ProcessExit {
  /** The exit status, or null where a signal has ended it. */
  readonly code: number | null;
  /** The signal that has ended it, or null. */
  readonly signal: SignalName | null;
}

/**
 * A process by its pidfd: this one, never another that got the same number later.
 *
 * Lifetime:
 * 1. It owns a descriptor until `close()`. The process goes on, and can end, as if there were none.
 * 2. Nothing is taken from whoever waits for the process: `child_process` learns of its children's ends as ever.
 * 3. Waiting for `exited` keeps this process alive; `unref()` changes that.
 *
 * @see pidfd_open(2)
 */
export class ProcessHandle extends FdHandle {
  /** The process's id, which it had when the handle was opened. */
  readonly pid: number;
  readonly #ours: boolean;
  readonly #ending = new Int32Array(2);
  #exited: Promise<ProcessExit | null> | undefined;
  #exit: ProcessExit | null | undefined;

  /** @internal */
  constructor(fd: number, pid: number) {
    super(fd, binding());
    this.pid = pid;
    this.#ours = this.#look() !== NOT_OURS;
  }

  /**
   * Resolves when the process has ended: with how, where it is a child of this process, and else with null.
   * Rejects with `ERR_CLOSED` when the handle is closed before.
   */
  get exited(): Promise<ProcessExit | null> {
    return (this.#exited ??= this.#wait());
  }

  /** Whether the process lives. One that has ended does not, also if nobody has waited for it yet. */
  get alive(): boolean {
    return check(binding().alive(this.fd), 'poll', this.describe()) === 1;
  }

  /**
   * Sends a signal to this process, and to no other.
   *
   * @param signal - by name or number
   * @param options - `value`: what goes with it
   * @throws {IpcError} ESRCH when it has ended and was waited for; EPERM when it is another user's; EAGAIN
   *   when as many signals are queued as its user may have; ERR_CLOSED when the handle is closed
   * @see pidfd_send_signal(2)
   */
  send(signal: Signal, options?: SendOptions): void {
    const number = numberOf(signal);
    const words = wordsOfValue(options);
    const { low, high } = words ?? { low: 0, high: 0 };
    const result = binding().sendByDescriptor(
      this.fd,
      number,
      words !== undefined,
      low,
      high,
      false,
    );
    sent(result, 'pidfd_send_signal', this.pid);
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'pidfd_open', target: this.pid };
  }

  #wait(): Promise<ProcessExit | null> {
    if (this.closed) return Promise.reject(this.#closedError());
    const attempt = (): ProcessExit | null | typeof BLOCKED => {
      return this.alive ? BLOCKED : this.#result();
    };
    const exited = this.queue('readable').run(attempt, {}, { details: this.describe() });
    // Whoever only wants to know later does not have to wait for it now, nor be told what failed before.
    exited.catch(() => (this.#exited = undefined));
    return exited;
  }

  #closedError(): unknown {
    try {
      return this.fd;
    } catch (error) {
      return error;
    }
  }

  #result(): ProcessExit | null {
    if (this.#exit !== undefined) return this.#exit;
    if (!this.#ours) return null;
    const seen = this.#look();
    if (seen === ENDED) return this.#told();
    // Somebody was quicker, and has reaped it. Newer kernels remember all the same.
    return binding().endingOfReaped(this.fd, this.#ending) === 1 ? this.#told() : null;
  }

  /** One look at the process as a child. */
  #look(): typeof ENDED | typeof LIVES | typeof NOT_OURS {
    const result = binding().ending(this.fd, this.#ending);
    if (result < 0) {
      if (codeOfErrno(result) !== 'ECHILD') check(result, 'waitid', this.describe());
      return NOT_OURS;
    }
    if (result === 0) return LIVES;
    this.#exit = this.#told();
    return ENDED;
  }

  #told(): ProcessExit {
    const [code, signal] = [this.#ending[0]!, this.#ending[1]!];
    return signal === 0 ? { code, signal: null } : { code: null, signal: nameOf(signal) };
  }
}

const NO_THREADS =
  'it is the id of a thread: open its process, whose id is its Tgid in /proc/PID/status';
const ENDED = 1;
const LIVES = 0;
const NOT_OURS = -1;

/**
 * Opens a process by its id.
 *
 * @param pid - its id; also 1, which is init
 * @returns its handle
 * @throws {IpcError} ESRCH when there is none; EINVAL when it is a thread's id; EMFILE
 * @example
 * ```js
 * import { spawn } from 'node:child_process';
 * import { openProcess } from '@octoipc/signal';
 *
 * const child = spawn('sleep', ['60']);
 * const handle = openProcess(child.pid);
 * handle.alive; //=> true
 * handle.send('SIGTERM');
 * await handle.exited; //=> { code: null, signal: 'SIGTERM' }
 * handle.close();
 * ```
 * @see pidfd_open(2)
 */
export function openProcess(pid: number): ProcessHandle {
  integer(pid, 'pid', 1, 2 ** 31 - 1);
  const result = binding().openProcess(pid);
  // Linux 6.15 says ENOENT of a thread, where others say EINVAL.
  const isThread = result < 0 && ['EINVAL', 'ENOENT'].includes(codeOfErrno(result));
  if (isThread)
    throw new IpcError('EINVAL', { syscall: 'pidfd_open', target: pid, hint: NO_THREADS });
  const fd = check(result, 'pidfd_open', { target: pid });
  return new ProcessHandle(fd, pid);
}
