// What scenes have in common: a scene plays a whole life, from making to removing, and leaves nothing behind,
// however far it came.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of each wait: nothing that is not lost takes as long. */
export const PATIENT = { timeout: 5000 };

export const unique = () => `/octoipc-faults-${process.pid}-${randomBytes(4).toString('hex')}`;

/** What makes sure that objects are gone whose removal was made to fail; for when nothing is any more. */
export const AFTERWARDS = [];

/** Ends what was begun, whichever of it fails. */
class Scope {
  #ends = [];

  add(handle, end = () => handle.close()) {
    this.#ends.push(end);
    return handle;
  }

  /** A folder that goes with what is in it. */
  folder() {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-faults-'));
    return this.add(folder, () => rmSync(folder, { recursive: true, force: true }));
  }

  end() {
    for (const end of this.#ends.toReversed()) {
      try {
        end();
      } catch (error) {
        if (error.name !== 'IpcError' && error.code === undefined) throw error;
      }
    }
  }
}

/** A wait that fails, too, when its scene ends early. */
export function later(promise) {
  promise.catch(() => {});
  return promise;
}

/** Runs `life` with a scope that is ended after it. */
export const scene = (life) => async () => {
  const scope = new Scope();
  try {
    await life(scope);
  } finally {
    scope.end();
  }
};

export function same(actual, expected) {
  if (String(actual) !== expected) throw new Error(`'${actual}' came for '${expected}'`);
}
