import type { Closable } from './channel.js';
import { closedError, type IpcErrorDetails } from './errors.js';
import { warnOfLeak } from './leak.js';

/** What a handle owns that is no descriptor: released once. Must not refer to the handle. */
export interface OwnedResource {
  /** Gives back whatever there is to give back. Must not throw. */
  release(): void;
}

const dropped = new FinalizationRegistry<OwnedResource>((resource) => {
  resource.release();
  warnOfLeak();
});

/**
 * A handle of something that the kernel knows by an id, an address or a name, not by a descriptor.
 *
 * Lifetime:
 * 1. It owns its resource from construction until `close()`, else until it is collected, with one
 *    warning. What must go with the thread or the process, the resource sees to itself.
 * 2. `close()` forgets first and then releases, once; so nothing can reach what got the same id later.
 */
export abstract class ResourceHandle implements Closable {
  #resource: OwnedResource | undefined;

  protected constructor(resource: OwnedResource) {
    this.#resource = resource;
    dropped.register(this, resource, resource);
  }

  /** Whether the handle was closed. */
  get closed(): boolean {
    return this.#resource === undefined;
  }

  /** Gives back what it owns; pending waits reject with `ERR_CLOSED`. Closing again does nothing. */
  close(): void {
    const resource = this.#resource;
    if (resource === undefined) return;
    this.#resource = undefined;
    dropped.unregister(resource);
    resource.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** How errors name this handle. */
  protected abstract describe(): IpcErrorDetails;

  /**
   * Before every use.
   *
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  protected checkOpen(details?: IpcErrorDetails): void {
    if (this.#resource === undefined) throw closedError(details ?? this.describe());
  }
}
