import type { IpcErrorDetails } from '@octoipc/core';
import { BLOCKED, check, codeOfErrno, Deadline, FdHandle } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { Gate } from './gate.js';
import { membersOf, type Member } from './group.js';
import { SIGCONT, SIGKILL } from './signals.js';
import { ENDING_SIZE, statusOf, expired, type ExitStatus } from './status.js';

/** What a look at an end has told, until it is read right after. */
const numbers = new Float64Array(ENDING_SIZE);

/** How long processes that SIGKILL was sent to may take to be gone, in milliseconds. */
export const DYING = 100;

/**
 * A child by its pidfd.
 *
 * Lifetime:
 * 1. Once it is watched it waits for the child's end, which keeps this process alive until then (after
 *    `unref()` it does not), and takes that end, so that no zombie is left. Then it is closed.
 * 2. Until the child's end is taken its number is nobody else's: signals reach this child, or its group,
 *    or nobody.
 * 3. `close()` lets the child go on alone: its end is taken in the background. `release()` gives the
 *    pidfd away, and with it the duty to wait.
 *
 * @see pidfd_open(2)
 */
export class ChildHandle extends FdHandle {
  readonly pid: number;
  readonly #group: boolean;
  /** Opened when the child is to be ended. */
  readonly #ending = new Gate();
  /** Opened when SIGKILL was sent. */
  readonly #forced = new Gate();
  #force: Deadline | undefined;
  #status: ExitStatus | undefined;
  #timedOut = false;
  #alive = true;

  /** @internal */
  constructor(pidfd: number, pid: number, group: boolean) {
    super(pidfd, binding());
    this.pid = pid;
    this.#group = group;
  }

  /** How the child has ended; null while it runs. */
  get status(): ExitStatus | null {
    return this.#status ?? null;
  }

  /**
   * Waits for the child's end and takes it.
   *
   * @internal
   * @param exited - told once: the child has ended and, if it was to be ended, so has its group
   * @param linger - what the child's end is not taken before, so that its group can still be reached;
   *   asked when the child has ended
   */
  async watch(
    exited: (status: ExitStatus) => void,
    linger?: () => Promise<void> | undefined,
  ): Promise<void> {
    const taken = await this.#exit(linger !== undefined);
    if (!taken) {
      if (!this.#ending.isOpen) {
        exited(this.#status!);
        const lingering = linger?.();
        if (lingering !== undefined) await Promise.race([lingering, this.#ending.opened]);
        if (this.closed) return;
      }
      if (this.#ending.isOpen) await this.#clearGroup();
      this.#take(false);
    }
    this.#force?.clear();
    super.close();
    exited(this.#status!);
  }

  /**
   * Sends a signal to the child, and to its group if it has one of its own.
   *
   * @internal
   * @param signal - its number
   * @returns false if there is nobody left
   */
  send(signal: number): boolean {
    if (this.closed) return false;
    const native = binding();
    const result = this.#group
      ? native.signalGroup(this.fd, signal)
      : native.signal(this.fd, signal);
    if (result < 0 && codeOfErrno(result) === 'ESRCH') return false;
    check(result, 'kill', { target: this.#group ? -this.pid : this.pid });
    return true;
  }

  /**
   * Ends the child and its group: by a signal, and by SIGKILL for what is still there some time later.
   *
   * @internal
   * @param refused - told if the child still lives then, and may not be killed
   * @returns false if there is nobody left
   * @throws {IpcError} EPERM when none of them may be signalled; nothing has changed then
   */
  end(signal: number, after: number, refused?: (error: unknown) => void): boolean {
    if (this.closed) return false;
    const sent = this.send(signal);
    // What is stopped would not notice.
    if (sent && signal !== SIGKILL) this.#refusalOf(SIGCONT);
    this.#force?.clear();
    if (signal === SIGKILL) this.#forced.open();
    else this.#force = this.#deadline(after, refused);
    this.#ending.open();
    return sent;
  }

  /** @internal SIGKILL for whoever of them may be sent one. */
  destroy(): void {
    this.#refusalOf(SIGKILL);
  }

  /** @internal It goes on alone, since it cannot be ended: who waits for its end is told so. */
  giveUp(error: unknown): void {
    if (this.closed) return;
    this.queue('readable').fail(error);
    this.#ending.open();
    this.close();
  }

  /** @internal The deadline has struck. */
  expire(): void {
    this.#timedOut = true;
    if (this.#status !== undefined) this.#status = expired(this.#status);
  }

  override ref(): this {
    this.#alive = true;
    this.#force?.ref(true);
    return super.ref();
  }

  override unref(): this {
    this.#alive = false;
    this.#force?.ref(false);
    return super.unref();
  }

  override close(): void {
    if (this.closed) return;
    const { fd } = this;
    this.#force?.clear();
    super.release();
    binding().abandon(fd);
  }

  override release(): number {
    const { fd } = this;
    this.#force?.clear();
    binding().disinherit(fd);
    return super.release();
  }

  /** @internal One look: whether the child has ended. With `keep` its end is not taken yet. */
  take(keep: boolean): ExitStatus | null {
    if (this.#take(keep) && !keep) super.close();
    return this.#status ?? null;
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'waitid', target: this.pid };
  }

  /** Sends a signal; why it may not, if so. */
  #refusalOf(signal: number): unknown {
    try {
      this.send(signal);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #deadline(after: number, refused?: (error: unknown) => void): Deadline | undefined {
    if (after === Infinity) return undefined;
    const deadline = new Deadline(after, () => {
      const error = this.#refusalOf(SIGKILL);
      this.#forced.open();
      if (error !== undefined && this.#status === undefined) refused?.(error);
    });
    if (!this.#alive) deadline.ref(false);
    return deadline;
  }

  /** Waits for the end; whether it was taken. */
  #exit(keep: boolean): Promise<boolean> {
    const attempt = (): boolean | typeof BLOCKED => {
      const kept = keep || this.#ending.isOpen;
      return this.#take(kept) ? !kept : BLOCKED;
    };
    return this.queue('readable').run(attempt, {}, { details: this.describe() });
  }

  /** One look at the child's end. */
  #take(keep: boolean): boolean {
    numbers.fill(0);
    const result = binding().wait(this.fd, numbers, keep);
    if (result === 0) return false;
    // ECHILD: somebody else has taken it (a SIGCHLD that is ignored, a wait for any child).
    if (result < 0 && codeOfErrno(result) !== 'ECHILD') check(result, 'waitid', this.describe());
    this.#status ??= statusOf(numbers, this.#timedOut);
    return true;
  }

  /** The child has ended, to which its group was asked as well: nothing of it is to be left. */
  async #clearGroup(): Promise<void> {
    if (!this.#group) return;
    const members = membersOf(this.pid);
    const over = new AbortController();
    const gone = ended(members, over.signal);
    try {
      if (members === undefined || members.length > 0) {
        await Promise.race([gone, this.#forced.opened]);
      }
      // Also where there seems to be nobody: the look may have missed one that was just being made.
      this.destroy();
      await Promise.race([gone, elapsed(DYING, over.signal)]);
    } finally {
      over.abort();
      for (const member of members ?? []) member.close();
    }
  }
}

/** Resolves when all of them have ended; never where nobody knows who they are. */
function ended(members: readonly Member[] | undefined, signal: AbortSignal): Promise<void> {
  if (members === undefined) return new Promise(() => undefined);
  const all = Promise.all(members.map((member) => member.ended(signal))).then(() => undefined);
  all.catch(() => undefined);
  return all;
}

function elapsed(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const deadline = new Deadline(milliseconds, resolve);
    signal.addEventListener('abort', () => deadline.clear(), { once: true });
  });
}
