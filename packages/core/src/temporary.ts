import { binding } from './binding.js';
import { TemporaryName, type ObjectIdentity } from './names.js';
import type { Reaper, RemovingCall } from './reap.js';

const alive = new Set<Temporary>();
let watching = false;

/** By their numbers in the addon. */
const CALLS: readonly RemovingCall[] = ['unlink', 'mq_unlink', 'msgctl', 'semctl', 'shmctl'];

const dropped = new FinalizationRegistry<Temporary>((temporary) => temporary.end());

/**
 * An object that goes with its creator.
 *
 * Lifetime: from before the object is created until its handle is closed or collected, or the process or
 * worker exits, which a worker does as well when it is terminated. Killed, it leaves its record to `reap`,
 * as it does where the object could not be removed. Removes the object only while the name still means the
 * one that was created.
 */
export class Temporary {
  readonly #reaper: Reaper;
  readonly #name: string;
  readonly #record: TemporaryName;
  #identity: ObjectIdentity | null = null;
  /** What the addon removes where no JavaScript does. */
  #atEnd = -1;

  /** Records the name, which nothing has yet. */
  constructor(kind: string, name: string, reaper: Reaper) {
    this.#reaper = reaper;
    this.#name = name;
    this.#record = TemporaryName.claim(kind, name);
  }

  /** The object exists now; or it does without its name, and gets that next. */
  created(identity: ObjectIdentity): void {
    // First: should the record fail, `end` still knows what to remove.
    this.#identity = identity;
    this.#record.identify(identity);
    this.#removeAtEnd(identity);
    alive.add(this);
    if (watching) return;
    watching = true;
    process.once('exit', () => {
      // Those whose object cannot be removed stay alive: a copy, so that each gets one turn.
      for (const temporary of Array.from(alive)) temporary.end();
    });
  }

  /** From now on the object goes when this handle is collected. */
  belongsTo(handle: object): void {
    dropped.register(handle, this);
  }

  /**
   * Removes the object, if it is still the same, and the record. Where the object cannot be removed the
   * record stays, for `reap`, and this is tried again at exit. Doing it again does nothing else.
   */
  end(): void {
    if (this.#removeObject()) {
      alive.delete(this);
      this.#identity = null;
      this.#forgetAtEnd();
      this.#record.release();
    } else {
      alive.add(this);
      this.#record.leave();
    }
  }

  #removeAtEnd({ dev, ino, id }: ObjectIdentity): void {
    this.#forgetAtEnd();
    const remover = this.#reaper.remover?.(this.#name);
    const [first, second] = [Number(id ?? dev), Number(ino ?? 0)];
    // Some file systems have inodes that are no numbers of JavaScript's.
    if (remover === undefined || !Number.isSafeInteger(second)) return;
    const { call, target } = remover;
    const number = CALLS.indexOf(call);
    this.#atEnd = binding().removeAtEnd(number, target, first, second, this.#record.path);
  }

  #forgetAtEnd(): void {
    if (this.#atEnd >= 0) binding().forgetAtEnd(this.#atEnd);
    this.#atEnd = -1;
  }

  /** Whether the name no longer means the object that was created. */
  #removeObject(): boolean {
    try {
      if (!this.#isThere()) return true;
      this.#reaper.remove(this.#name);
      return true;
    } catch {
      // Somebody else removed it at the same moment, or has taken it over: then it is theirs.
    }
    try {
      return !this.#isThere();
    } catch {
      return false;
    }
  }

  #isThere(): boolean {
    return this.#identity !== null && same(this.#identity, this.#reaper.identify(this.#name));
  }
}

function same(left: ObjectIdentity, right: ObjectIdentity | null): boolean {
  return right !== null && Object.keys(left).every((key) => left[key] === right[key]);
}
