import { BLOCKED, WaitQueue, type WakeSource } from '@octoipc/core/kit';

/** A queue over permits: an attempt takes one. */
export class Permits implements WakeSource {
  readonly queue = new WaitQueue(this);
  readonly log: string[] = [];
  count = 0;
  tries = 0;
  #wake: (() => void) | undefined;

  listen(wake: () => void): void {
    this.log.push('listen');
    this.#wake = wake;
  }

  rest(): void {
    this.log.push('rest');
    this.#wake = undefined;
  }

  take(options: Parameters<WaitQueue['run']>[1] = {}, need = 1): Promise<number> {
    const attempt = () => {
      this.tries += 1;
      if (this.count < need) return BLOCKED;
      this.count -= need;
      return this.count;
    };
    return this.queue.run(attempt, options, { details: { syscall: 'take', target: '/permits' } });
  }

  give(count: number): void {
    this.count += count;
    this.#wake?.();
  }
}
