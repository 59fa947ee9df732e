/** So many calls in a row go through at once; then the event loop turns, or timers would starve. */
export const IN_A_ROW = 64;

/** Lets the event loop turn between writes that never have to wait. */
export class Pace {
  #inARow = 0;
  #pausing = false;

  /** Whether to stop here: `resume` is called when the event loop has turned. */
  pause(resume: () => void): boolean {
    if (this.#pausing) return true;
    if (this.#inARow < IN_A_ROW) {
      this.#inARow += 1;
      return false;
    }
    this.#pausing = true;
    setImmediate(() => {
      this.#pausing = false;
      this.#inARow = 0;
      resume();
    });
    return true;
  }
}
