/** A promise that somebody opens; it is made when somebody waits for it. */
export class Gate {
  #opened: Promise<void> | undefined;
  #isOpen = false;
  #resolve: (() => void) | undefined;

  get opened(): Promise<void> {
    this.#opened ??= this.#isOpen
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#resolve = resolve;
        });
    return this.#opened;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    this.#isOpen = true;
    this.#resolve?.();
  }
}
