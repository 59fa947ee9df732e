import { signalName, type SignalName } from './signals.js';

/**
 * What a process has used, its own children included that it has waited for.
 *
 * @see getrusage(2)
 */
export interface ResourceUsage {
  /** Milliseconds of processor time in its own code. */
  readonly userTime: number;
  /** Milliseconds of processor time in the kernel. */
  readonly systemTime: number;
  /**
   * The largest amount of memory that was resident, in bytes. The kernel counts from before the program
   * began, when it still had its parent's memory: it is never less than that.
   */
  readonly maxResidentSize: number;
  readonly minorPageFaults: number;
  readonly majorPageFaults: number;
  /** Blocks read from and written to disks. */
  readonly blockInputs: number;
  readonly blockOutputs: number;
  readonly voluntaryContextSwitches: number;
  readonly involuntaryContextSwitches: number;
}

/** How a process has ended. */
export interface ExitStatus {
  /** What it exited with, 0 to 255; null when a signal has ended it. */
  readonly code: number | null;
  /** What has ended it: `SIGTERM`, `SIGRTMIN+1`, as `@octoipc/signal` names it; null when it has exited by itself. */
  readonly signal: SignalName | null;
  /** It has exited with 0, and in time. */
  readonly ok: boolean;
  /** Its `timeout` was over. */
  readonly timedOut: boolean;
  readonly resourceUsage: ResourceUsage;
}

/** How many numbers the native side tells of an ending. */
export const ENDING_SIZE = 11;

/** siginfo_t's si_code of a child that has exited by itself. */
const CLD_EXITED = 1;

/** The status that the native side's numbers tell. */
export function statusOf(ending: Float64Array, timedOut: boolean): ExitStatus {
  const [how, what, user, system, resident, minor, major, inputs, outputs, voluntary, other] =
    ending as unknown as readonly [...number[]] & Record<number, number>;
  // Nothing at all is told of a child whose end somebody else has taken.
  const code = how === CLD_EXITED ? what! : null;
  const signal = how === CLD_EXITED || how === 0 ? null : signalName(what!);
  return Object.freeze({
    code,
    signal,
    ok: code === 0 && !timedOut,
    timedOut,
    resourceUsage: Object.freeze({
      userTime: user! / 1000,
      systemTime: system! / 1000,
      maxResidentSize: resident! * 1024,
      minorPageFaults: minor!,
      majorPageFaults: major!,
      blockInputs: inputs!,
      blockOutputs: outputs!,
      voluntaryContextSwitches: voluntary!,
      involuntaryContextSwitches: other!,
    }),
  });
}

/** The same status, once its time was over. */
export function expired(status: ExitStatus): ExitStatus {
  return Object.freeze({ ...status, ok: false, timedOut: true });
}
