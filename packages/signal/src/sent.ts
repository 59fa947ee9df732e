import { AGAIN, check } from '@octoipc/core/kit';

const QUEUE_IS_FULL =
  'as many signals are queued as RLIMIT_SIGPENDING allows for the user of the receiver: try again when some were taken, or raise it there (prlimit --sigpending, LimitSIGPENDING= in a systemd unit)';

/** The answer of a call that sends. */
export function sent(result: number, syscall: string, target: string | number): void {
  check(result, syscall, result === AGAIN ? { target, hint: QUEUE_IS_FULL } : { target });
}
