/** The open ends of a ring or a broadcast, which close with it. */
export class Ends {
  readonly #open = new Set<{ close(): void }>();
  /** What an end calls when it closes. */
  readonly ended = (end: { close(): void }): void => void this.#open.delete(end);

  /** Takes one in. */
  add<T extends { close(): void }>(end: T): T {
    this.#open.add(end);
    return end;
  }

  close(): void {
    for (const end of this.#open) end.close();
  }
}
