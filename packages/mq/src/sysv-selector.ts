import { integer, optionsObject, typeError, valueError, writableBytes } from '@octoipc/core/kit';

import type { MqBinding } from './binding.js';
import type { SysvSelection, SysvTarget } from './sysv-message.js';

/** A selection as msgrcv(2) takes it. */
export interface Selector {
  readonly type: number;
  readonly flags: number;
  /** The same for selections of the same types. */
  readonly key: string;
  /** The most bytes; undefined: all, however many. */
  readonly maxBytes: number | undefined;
  /** A caller's memory to receive into. */
  readonly into: Uint8Array | undefined;
}

const LONGEST = 0x7fff_ffff;

/** Checks a selection. */
export function selectorOf(native: MqBinding, options: SysvSelection | undefined): Selector {
  if (options === undefined) return EVERYTHING;
  const given = optionsObject<SysvSelection>(options);
  const { type = 0, except = false, truncate = false } = given;
  const { MAX_SAFE_INTEGER } = Number;
  integer(type, 'options.type', -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
  if (typeof except !== 'boolean' && typeof except !== 'number') {
    throw typeError('options.except', 'a boolean or a type', except);
  }
  if (typeof truncate !== 'boolean' && typeof truncate !== 'number') {
    throw typeError('options.truncate', 'a boolean or a number of bytes', truncate);
  }
  let { maxBytes } = given;
  if (maxBytes !== undefined && maxBytes !== Infinity) {
    integer(maxBytes, 'options.maxBytes', 0, LONGEST);
  }
  if (maxBytes === Infinity) maxBytes = undefined;
  if (typeof truncate === 'number') maxBytes = integer(truncate, 'options.truncate', 0, LONGEST);
  const cut = truncate === false ? 0 : native.noError;
  if (except === false) return { type, flags: cut, key: String(type), maxBytes, into: undefined };
  const unwanted = typeof except === 'number' ? except : type;
  if (typeof except === 'number' && type !== 0) {
    throw valueError('options.except', 'must be true where there is a type', except);
  }
  integer(unwanted, typeof except === 'number' ? 'options.except' : 'options.type', 1);
  return {
    type: unwanted,
    flags: cut | native.except,
    key: `!${unwanted}`,
    maxBytes,
    into: undefined,
  };
}

const EVERYTHING: Selector = {
  type: 0,
  flags: 0,
  key: '0',
  maxBytes: undefined,
  into: undefined,
};

/** Checks a selection of one message, and where to. */
export function targetOf(
  native: MqBinding,
  options: (SysvSelection & SysvTarget) | undefined,
): Selector {
  if (options === undefined) return EVERYTHING;
  const given = optionsObject<SysvSelection & SysvTarget>(options);
  const { into } = given;
  if (into === undefined) return selectorOf(native, given);
  const memory = writableBytes(into, 'options.into');
  const { length } = memory;
  if (length === 0) throw valueError('options.into', 'must not be empty', into);
  if (selectsAll(given)) {
    if (last.into !== memory || last.maxBytes !== length) {
      last = { type: 0, flags: 0, key: '0', maxBytes: length, into: memory };
    }
    return last;
  }
  const { type, flags, key, maxBytes = length } = selectorOf(native, given);
  return { type, flags, key, maxBytes: Math.min(maxBytes, length), into: memory };
}

/** Of the memory that was received into last: the next one comes to the same, as a rule. */
let last: Selector = EVERYTHING;

/** Whether any message is wanted, and all of it. */
function selectsAll({ type, except, truncate, maxBytes }: SysvSelection): boolean {
  return (
    type === undefined && except === undefined && truncate === undefined && maxBytes === undefined
  );
}

/** Whether one message could suit both. */
export function overlap(one: Selector, other: Selector): boolean {
  if (one.key === other.key || one.key === '0' || other.key === '0') return true;
  const [a, b] = [kindOf(one), kindOf(other)];
  if (a === 'one') return suits(other, one.type);
  if (b === 'one') return suits(one, other.type);
  // Two of "up to" and "all but": both take type 1 or, if that is what is not wanted, 2.
  return [1, 2, 3].some((type) => suits(one, type) && suits(other, type));
}

function kindOf({ key, type }: Selector): 'one' | 'upTo' | 'allBut' {
  if (key.startsWith('!')) return 'allBut';
  return type < 0 ? 'upTo' : 'one';
}

/** Whether a message of this type is wanted. */
export function suits(selector: Selector, type: number): boolean {
  const kind = kindOf(selector);
  if (kind === 'allBut') return type !== selector.type;
  return kind === 'upTo' ? type <= -selector.type : type === selector.type || selector.type === 0;
}
