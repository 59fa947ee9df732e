import type { FdSource } from '@octoipc/core/kit';

import type { Connection } from './connection.js';
import type { SocketHandle } from './socket-handle.js';

/**
 * What is readable, told to somebody who is known weakly: it keeps neither him nor the process alive.
 *
 * @param handle - whose descriptor; nobody may wait for it by itself
 * @param target - who is told, while he lives
 * @param tell - what to do then; must not refer to the target
 * @returns the source, which goes with the handle
 */
export function weakSource<T extends object>(
  handle: SocketHandle,
  target: T,
  tell: (target: T) => void,
): FdSource {
  const known = new WeakRef(target);
  const source = handle.newSource();
  source.ref(false);
  source.readable.listen(() => {
    const found = known.deref();
    if (found !== undefined) tell(found);
  });
  return source;
}

/**
 * One who is connected to a receiver of many.
 *
 * Lifetime: it owns the connection until `close()`.
 */
export class Member {
  readonly connection: Connection;
  /** Whether it has its place among those who may have sent something. */
  listed = false;
  readonly #source: FdSource;
  readonly #tell: (member: Member) => void;

  constructor(connection: Connection, tell: (member: Member) => void) {
    this.connection = connection;
    this.#tell = tell;
    this.#source = weakSource(connection, this, (member) => member.#tell(member));
  }

  close(): void {
    this.#source.dispose();
    this.connection.close();
  }
}
