/** The open ends of a ring or a broadcast, which close with it. */
export class Ends {
  readonly #open = new Set<{ close(): void }>();

  /** Takes one in. */
  add<T extends { close(): void }>(end: T): T {
    this.#open.add(end);
    return end;
  }

  /** It has closed. */
  delete(end: { close(): void }): void {
    this.#open.delete(end);
  }

  close(): void {
    for (const end of this.#open) end.close();
  }
}
