/**
 * What one case has opened.
 *
 * Lifetime: from the start of the case to its end, however it ends; then all of it is released, the
 * latest first. A case whose time is over is released while it still runs, so that its waits end.
 */
export class Scope {
  readonly #releases: (() => unknown)[] = [];
  #released = false;

  /** Closes this at the end; returns it. */
  use<T extends { close(): unknown }>(closable: T): T {
    this.defer(() => closable.close());
    return closable;
  }

  /** Calls this at the end. */
  defer(release: () => unknown): void {
    if (this.#released) void release();
    else this.#releases.push(release);
  }

  /** Releases everything; the first failure is thrown after all were tried. */
  async release(): Promise<void> {
    this.#released = true;
    const failures: unknown[] = [];
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
