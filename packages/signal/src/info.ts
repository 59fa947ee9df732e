import { readFileSync } from 'node:fs';

import { codeName, hasSender, hasStatus, hasValue } from './codes.js';
import { isRealTime, nameOf, type SignalName } from './names.js';

/** As many 32-bit words as one signal takes on its way from the native side. */
export const RECORD = 10;

/** Everything that the kernel tells with a signal. */
export interface SignalInfo {
  /** Its name: `'SIGTERM'`, `'SIGRTMIN+1'`. */
  readonly signal: SignalName;
  readonly number: number;
  /** How it was sent: si_code of sigaction(2). */
  readonly code: number;
  /** The code's name: `'SI_USER'`, `'SI_QUEUE'`, `'CLD_EXITED'`. */
  readonly codeName: string;
  /** Who has sent it; of SIGCHLD the child; 0 where it was the kernel, or the kernel had no room to note it. */
  readonly pid: number;
  /** The real user id of the sender, or of the child. */
  readonly uid: number;
  /** What was sent with it by sigqueue(3), a timer or a message queue, as a signed 32-bit number. */
  readonly value?: number;
  /** All 64 bits of the value, where a pointer was sent. */
  readonly pointer: bigint | undefined;
  /** With SIGCHLD: the child's exit status, or the number of the signal that changed its state. */
  readonly status?: number;
  /** Whether others of this signal may have been merged with it, as the kernel does with standard signals. */
  readonly coalesced: boolean;
  /** When it was taken from the kernel, in milliseconds since 1970. */
  readonly timestamp: number;
  /**
   * The command line of the sender, if it still runs; else its last look is gone, and this is null. Read
   * when it is first asked for: ask at once.
   */
  readonly command: string | null;
}

class Info implements SignalInfo {
  readonly signal: SignalName;
  readonly number: number;
  readonly code: number;
  readonly codeName: string;
  readonly pid: number;
  readonly uid: number;
  declare readonly value?: number;
  declare readonly status?: number;
  readonly coalesced: boolean;
  readonly timestamp: number;
  #command: string | null | undefined;
  readonly #high: number;

  constructor(words: Int32Array, at: number) {
    const number = words[at]!;
    const code = words[at + 1]!;
    this.signal = nameOf(number);
    this.number = number;
    this.code = code;
    this.codeName = codeName(number, code);
    this.pid = words[at + 2]!;
    this.uid = words[at + 3]! >>> 0;
    if (hasValue(code)) this.value = words[at + 5]!;
    if (hasStatus(number, code)) this.status = words[at + 4]!;
    this.coalesced = !isRealTime(number);
    this.timestamp = (words[at + 7]! >>> 0) * 1000 + words[at + 8]! / 1e6;
    this.#high = words[at + 6]!;
  }

  get pointer(): bigint | undefined {
    if (this.value === undefined) return undefined;
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.value >>> 0);
  }

  get command(): string | null {
    if (this.#command === undefined) {
      this.#command = this.pid > 0 && hasSender(this.code) ? commandOf(this.pid) : null;
    }
    return this.#command;
  }
}

/** What the native side has written from one place on. */
export function infoOf(words: Int32Array, at: number): SignalInfo {
  return new Info(words, at);
}

/** The default action that follows when everyone was told; 0: none. */
export function ticketOf(words: Int32Array, at: number): number {
  return words[at + 9]!;
}

/** A process's command line; a kernel thread or a zombie has none, but a name. */
function commandOf(pid: number): string | null {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (line.length > 0) return line.replace(/\0+$/, '').replaceAll('\0', ' ');
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return null;
  }
}
