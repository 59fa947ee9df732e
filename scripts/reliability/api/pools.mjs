// What lives while a batch is played: handles, descriptors, processes, waits; and their end.
import { EventEmitter } from 'node:events';
import { closeSync, openSync } from 'node:fs';

const ENDS = ['unlock', 'abort', 'return', 'close', 'release'];
const MAX_LIVE = 40;
/** What goes on by contract when nobody refers to it: what `onSignal` gives. */
const STAYING = new Set(['Listening']);

/** Milliseconds; what was released is kept so long, for those who still use it. */
const GIVEN = 2_000;

/** The objects of one batch. */
export class Pools {
  live = [];
  pending = new Map();
  #foreign = new Set();
  #descriptors = new Set();
  #helpers;
  #timers = new Set();
  #raw;
  #dropped = [];
  #staying = [];
  #ended = false;

  /**
   * Without `raw`, numbers of descriptors are never handed out: nobody would close them for a thread that is ended.
   * `helpers` are processes that may get any signal; they are the caller's for the same reason.
   */
  constructor(raw, helpers) {
    this.#raw = raw;
    this.#helpers = helpers;
  }

  begin() {
    if (!this.#raw) return;
    for (let i = 0; i < 2; i++) this.#descriptors.add(openSync('/dev/null', 'r+'));
  }

  get full() {
    return this.live.length >= MAX_LIVE;
  }

  any(chance) {
    return this.live.length === 0 ? undefined : chance.one(this.live);
  }

  /** A live object of that class, or one that inherits from it, or any. */
  like(chance, name) {
    const found = this.live.filter((each) => classesOf(each).includes(name));
    return found.length > 0 ? chance.one(found) : this.any(chance);
  }

  memory(chance) {
    const memory = this.like(chance, 'SharedMemory');
    return quietly(() => memory?.buffer) ?? new ArrayBuffer(64);
  }

  descriptor(chance) {
    const all = [...this.#descriptors];
    return all.length === 0 ? -1 : chance.one(all);
  }

  pid(chance) {
    return chance.one([process.pid, ...this.#helpers]);
  }

  later(action, milliseconds) {
    const entry = { action, timer: undefined };
    entry.timer = setTimeout(() => {
      this.#timers.delete(entry);
      action();
    }, milliseconds);
    this.#timers.add(entry);
  }

  owns(fd) {
    if (Number.isInteger(fd) && this.#raw) this.#descriptors.add(fd);
  }

  /** Somebody else closes it from now on, or has. */
  gone(fd) {
    this.#descriptors.delete(fd);
  }

  /** Keeps what a call returned. */
  harvest(value, depth = 0) {
    if (value === null || typeof value !== 'object' || depth > 2 || ArrayBuffer.isView(value))
      return;
    if (isForeign(value)) {
      value.on?.('error', () => {});
      this.#foreign.add(value);
      return;
    }
    if (Array.isArray(value)) {
      for (const each of value.slice(0, 8)) this.harvest(each, depth + 1);
      return;
    }
    if (isLive(value)) {
      if (this.#ended) void end(value);
      else if (!this.live.includes(value)) this.live.push(value);
      return;
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return;
    for (const [name, each] of Object.entries(value)) {
      if (name === 'fd') this.owns(each);
      else if (name === 'fds' && Array.isArray(each)) each.forEach((fd) => this.owns(fd));
      else this.harvest(each, depth + 1);
    }
  }

  /** Leaves an object to the collector, which a pending wait of it keeps off; not what lives until it is closed. */
  drop(index) {
    for (const each of this.live.splice(index, 1)) {
      if (classesOf(each).some((name) => STAYING.has(name))) this.#staying.push(each);
      else this.#dropped.push(new WeakRef(each));
    }
  }

  /** Waits for a call's promise; when it is over, `settled` judges how. */
  track(promise, label, settled, object) {
    const forget = () => this.pending.delete(promise);
    // Who waits on an object does not leave it to the collector.
    this.pending.set(promise, { label, object });
    void promise.then(
      (value) => {
        forget();
        this.harvest(value);
        settled(undefined);
      },
      (error) => {
        forget();
        settled(error);
      },
    );
  }

  /**
   * Ends everything.
   *
   * @returns the labels of the waits that did not end in time
   */
  async end(patience) {
    this.#ended = true;
    for (const { action, timer } of this.#timers) {
      clearTimeout(timer);
      action();
    }
    this.#timers.clear();
    const dropped = this.#dropped.splice(0).map((each) => each.deref());
    const waited = [...this.pending.values()].map(({ object }) => object);
    const objects = new Set([
      ...this.live.splice(0),
      ...this.#staying.splice(0),
      ...dropped,
      ...waited,
    ]);
    objects.delete(undefined);
    for (const object of objects) this.#track(end(object), object);
    for (const each of this.#foreign) endForeign(each);
    const begun = performance.now();
    let stuck = [];
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      stuck = [...this.pending.values()].map(({ label }) => label);
      const passed = performance.now() - begun;
      if (stuck.length === 0 || passed > patience) break;
      // Who waits for the end of what was released waits for us.
      if (passed > GIVEN) this.#closeGiven();
    }
    this.#closeGiven();
    return stuck;
  }

  /** Closes the descriptors that handles have given away. */
  #closeGiven() {
    for (const fd of this.#descriptors) {
      try {
        closeSync(fd);
      } catch {
        // A call had taken it.
      }
    }
    this.#descriptors.clear();
  }

  #track(promise, object) {
    if (promise !== undefined)
      this.track(promise, `the end of a ${object.constructor?.name}`, () => {});
  }
}

function isForeign(value) {
  return (
    value instanceof EventEmitter ||
    value instanceof ReadableStream ||
    value instanceof WritableStream
  );
}

function isLive(value) {
  return (
    [...ENDS, 'next', 'receive', 'send', 'bytes'].some(
      (name) => typeof value[name] === 'function',
    ) || typeof value[Symbol.asyncIterator] === 'function'
  );
}

/** The names of an object's class and of those that it inherits from. */
export function classesOf(object) {
  const names = [];
  for (
    let each = Object.getPrototypeOf(object);
    each !== null;
    each = Object.getPrototypeOf(each)
  ) {
    // A bundler's name of a class that mentions itself begins with an underscore.
    names.push(each.constructor?.name.replace(/^_/, ''));
  }
  return names;
}

function quietly(action) {
  try {
    const result = action();
    return typeof result?.then === 'function' ? result.then(nothing, nothing) : result;
  } catch {
    return undefined; // It had ended.
  }
}

function nothing() {}

/** Ends one object, in whatever way it has; returns a promise where that takes its time. */
function end(object) {
  if (typeof object.kill === 'function') quietly(() => object.kill('SIGKILL'));
  for (const name of ENDS) {
    if (typeof object[name] !== 'function') continue;
    // A handle's gives its descriptor away; a semaphore's adds to its value.
    if (name === 'release' && !('released' in object)) continue;
    const result = quietly(() => object[name]());
    if (result instanceof Promise) return result;
  }
  return undefined;
}

function endForeign(each) {
  if (typeof each.kill === 'function') each.kill('SIGKILL');
  quietly(() => each.destroy?.());
  quietly(() => each.cancel?.());
  quietly(() => each.abort?.());
}
