import { readlinkSync } from 'node:fs';

import { TemporaryName, type ObjectIdentity } from './names.js';
import type { Reaper } from './reap.js';

const alive = new Set<Temporary>();
let watching = false;

const dropped = new FinalizationRegistry<Temporary>((temporary) => temporary.end());

/**
 * An object that goes with its creator.
 *
 * Lifetime: from before the object is created until its handle is closed or collected, or the process or
 * worker exits; killed, it leaves its record to `reap`. Removes the object only while the name still
 * means the one that was created.
 */
export class Temporary {
  readonly #reaper: Reaper;
  readonly #name: string;
  readonly #record: TemporaryName;
  #identity: ObjectIdentity | null = null;

  /** Records the name, which nothing has yet. */
  constructor(kind: string, name: string, reaper: Reaper) {
    this.#reaper = reaper;
    this.#name = name;
    this.#record = TemporaryName.claim(kind, name);
  }

  /** The object exists now. */
  created(identity: ObjectIdentity): void {
    this.#record.identify(identity);
    this.#identity = identity;
    alive.add(this);
    if (watching) return;
    watching = true;
    process.once('exit', () => {
      for (const temporary of alive) temporary.end();
    });
  }

  /** From now on the object goes when this handle is collected. */
  belongsTo(handle: object): void {
    dropped.register(handle, this);
  }

  /** Removes the object, if it is still the same, and the record. Doing it again does nothing. */
  end(): void {
    alive.delete(this);
    const identity = this.#identity;
    this.#identity = null;
    try {
      if (identity !== null && same(identity, this.#reaper.identify(this.#name))) {
        this.#reaper.remove(this.#name);
      }
    } catch {
      // Somebody else removed it at the same moment, or has taken it over: it is theirs.
    }
    this.#record.release();
  }
}

function same(left: ObjectIdentity, right: ObjectIdentity | null): boolean {
  return right !== null && Object.keys(left).every((key) => left[key] === right[key]);
}

/** The IPC namespace, without which no name and no id means anything. */
export function ipcNamespace(): string {
  return readlinkSync('/proc/self/ns/ipc');
}
