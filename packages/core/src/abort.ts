/** Who waits with a signal. */
interface Listening {
  readonly listeners: Set<() => void>;
  readonly hear: () => void;
  /** Our listener stays on the signal while nobody waits. */
  readonly lasts: boolean;
}

const listening = new WeakMap<AbortSignal, Listening>();

/**
 * Calls back when a signal aborts. A signal has one listener of ours, however many wait with it: Node takes
 * more than ten for a leak, and looks through all of them to take one off.
 *
 * @param signal - one that is aborted already calls back when what runs now is done
 * @param listener - called once, in the order of coming
 * @returns what takes that back
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) return afterwards(listener);
  const { listeners, lasts } = listening.get(signal) ?? listenTo(signal, false);
  // The same function may wait twice.
  const entry = (): void => listener();
  listeners.add(entry);
  return () => {
    if (listeners.delete(entry) && listeners.size === 0 && !lasts) forget(signal);
  };
}

/** A controller for waits that follow one another: to listen to its signal costs next to nothing. */
export function lastingController(): AbortController {
  const controller = new AbortController();
  listenTo(controller.signal, true);
  return controller;
}

/** Whether a signal is that of a {@link lastingController}. */
export function isLasting(signal: AbortSignal): boolean {
  return listening.get(signal)?.lasts === true;
}

function listenTo(signal: AbortSignal, lasts: boolean): Listening {
  const listeners = new Set<() => void>();
  const hear = (): void => {
    forget(signal);
    // Who is taken back by one before is not told any more.
    for (const entry of listeners) {
      listeners.delete(entry);
      call(entry);
    }
  };
  const made = { listeners, hear, lasts };
  listening.set(signal, made);
  signal.addEventListener('abort', hear);
  return made;
}

/** Not at once: who listens has not got yet what takes that back. */
function afterwards(listener: () => void): () => void {
  let wanted = true;
  queueMicrotask(() => {
    if (wanted) call(listener);
  });
  return () => {
    wanted = false;
  };
}

/** As a listener of the signal's own: what it throws is uncaught, and the others are told. */
function call(entry: () => void): void {
  try {
    entry();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function forget(signal: AbortSignal): void {
  const made = listening.get(signal);
  listening.delete(signal);
  if (made !== undefined) signal.removeEventListener('abort', made.hear);
}
