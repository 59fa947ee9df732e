/** A promise that somebody opens. */
export class Gate {
  readonly opened: Promise<void>;
  #isOpen = false;
  #resolve!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    this.#isOpen = true;
    this.#resolve();
  }
}
