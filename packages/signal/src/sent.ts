import { AGAIN, errorOf } from '@octoipc/core/kit';

const QUEUE_IS_FULL =
  'as many signals are queued as RLIMIT_SIGPENDING allows for the user of the receiver: try again when some were taken, or raise it there (prlimit --sigpending, LimitSIGPENDING= in a systemd unit)';

/** The answer of a call that sends. */
export function sent(result: number, syscall: string, target: string | number): void {
  if (result >= 0) return;
  throw errorOf(result, syscall, { target, hint: result === AGAIN ? QUEUE_IS_FULL : undefined });
}
