/** Memory longer than this is not kept for the sake of its address. */
const LONGEST = 64 * 1024;

/**
 * The memory of which the binding knows the address: who reads or writes again and again does so with
 * the same, and to ask for its address takes a quarter of the time of a small call.
 *
 * Lifetime: keeps the view of the last call until another comes. A view's memory stays where it is until
 * it is transferred away, and the view is empty then.
 */
export class KnownMemory {
  #view: Uint8Array | undefined;
  #length = 0;

  /** Whether the binding knows where this is. */
  isKnown(view: unknown): view is Uint8Array {
    return view === this.#view && this.#view !== undefined && this.#view.length === this.#length;
  }

  /** The binding is told of this one now; the view. */
  know(view: Uint8Array): Uint8Array {
    const keep = view.length > 0 && view.buffer.byteLength <= LONGEST;
    this.#view = keep ? view : undefined;
    this.#length = view.length;
    return view;
  }
}
