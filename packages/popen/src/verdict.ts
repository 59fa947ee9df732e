import type { Process } from './process.js';
import type { ExitStatus } from './status.js';

/** How a pipeline has ended. */
export interface PipelineStatus {
  /** Every stage has exited with 0, and in time: pipefail. */
  readonly ok: boolean;
  readonly timedOut: boolean;
  /** How each stage has ended. */
  readonly statuses: readonly ExitStatus[];
}

/** What a shell reports of a child that SIGPIPE has ended. */
const SHELL_SIGPIPE = 128 + 13;

/** What the ends of a pipeline's stages come to. */
export class Verdict {
  readonly #processes: readonly Process[];
  readonly #check: boolean;
  readonly #allowSigpipe: boolean;

  constructor(processes: readonly Process[], check: boolean, allowSigpipe: boolean) {
    this.#processes = processes;
    this.#check = check;
    this.#allowSigpipe = allowSigpipe;
  }

  /** Whether every stage has ended well; false while one runs. */
  get ok(): boolean {
    return this.#processes.every((stage) => this.#isWell(stage));
  }

  /** Whether the end of its output may be too early, or say nothing of what it is worth. */
  get isOpen(): boolean {
    return this.#check || this.isStopped;
  }

  /** Whether a stage was ended before its time. */
  get isStopped(): boolean {
    return this.#processes.some(({ stopped }) => stopped !== undefined);
  }

  /** How all have ended, which they have. */
  status(): PipelineStatus {
    const statuses = this.#processes.map(({ status }) => status!);
    return Object.freeze({
      ok: this.ok,
      timedOut: statuses.some(({ timedOut }) => timedOut),
      statuses: Object.freeze(statuses),
    });
  }

  /** Throws the failure of the last stage that has failed, where somebody checks. */
  verify(status: PipelineStatus, stdout?: Buffer): void {
    if (!this.#check || status.ok) return;
    const failed = this.#processes.findLast((stage) => !this.#isWell(stage))!;
    throw failed.explain(stdout);
  }

  /** Where a stage was ended before its time, what the others made of it is not the whole. */
  checkWhole(stdout?: Buffer): void {
    const stage = this.#processes.findLast(({ stopped }) => stopped !== undefined);
    if (stage !== undefined) throw stage.errorOfStop(stdout);
  }

  #isWell(stage: Process): boolean {
    const { status } = stage;
    if (status === null || status.ok || !this.#allowSigpipe || stage === this.#processes.at(-1)) {
      return status?.ok === true;
    }
    return !status.timedOut && (status.signal === 'SIGPIPE' || status.code === SHELL_SIGPIPE);
  }
}
