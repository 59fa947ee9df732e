import { closeSync, openSync, readSync } from 'node:fs';
import { constants } from 'node:os';

/** The last signal that there is. */
export const LAST_SIGNAL = 64;

let first: number | undefined;
let numbers: Readonly<Record<string, number>> | undefined;
let names: ReadonlyMap<number, string> | undefined;

/**
 * The first real-time signal that the C library leaves to programs.
 *
 * @see signal(7)
 */
export function firstRealTimeSignal(): number {
  first ??= head(process.execPath).includes('/ld-musl-') ? 35 : 34;
  return first;
}

/** The signals of this system by their names, each real-time signal with one: by its distance from the first. */
export function signalNumbers(): Readonly<Record<string, number>> {
  numbers ??= table();
  return numbers;
}

/**
 * The number of a signal's name, `SIGRTMIN+2` and `SIGRTMAX-2` among them.
 *
 * @returns undefined if there is no such signal
 */
export function signalNumberOf(name: string): number | undefined {
  const all = signalNumbers();
  return Object.hasOwn(all, name) ? all[name] : atDistance(name);
}

/** The name of a signal; of one that the C library keeps to itself, its number. */
export function signalNameOf(number: number): string {
  names ??= new Map(
    Object.entries(signalNumbers())
      .toReversed()
      .map(([name, each]) => [each, name]),
  );
  return names.get(number) ?? `SIG${number}`;
}

/** Whatever the end that it counts from. */
function atDistance(name: string): number | undefined {
  const [, from, by] = /^SIGRT(MIN\+|MAX-)(0|[1-9]\d?)$/.exec(name) ?? [];
  if (from === undefined) return undefined;
  const number = from === 'MIN+' ? firstRealTimeSignal() + Number(by) : LAST_SIGNAL - Number(by);
  return number < firstRealTimeSignal() || number > LAST_SIGNAL ? undefined : number;
}

function table(): Readonly<Record<string, number>> {
  const lowest = firstRealTimeSignal();
  const all: Record<string, number> = { ...constants.signals };
  all['SIGRTMIN'] = lowest;
  for (let number = lowest + 1; number < LAST_SIGNAL; number++) {
    all[`SIGRTMIN+${number - lowest}`] = number;
  }
  all['SIGRTMAX'] = LAST_SIGNAL;
  return Object.freeze(all);
}

/** glibc keeps two for itself, musl three. Which one runs is told by the interpreter that this program names. */
function head(program: string): string {
  if (process.platform !== 'linux') return '';
  const buffer = Buffer.alloc(2048);
  try {
    const fd = openSync(program, 'r');
    const length = readSync(fd, buffer);
    closeSync(fd);
    return buffer.toString('latin1', 0, length);
  } catch {
    // Then it is taken for glibc, which most are.
    return '';
  }
}
