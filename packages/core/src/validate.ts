import type Util from 'node:util';

import type { Bytes } from './channel.js';

type ArgumentError = (TypeError | RangeError) & { code: string };

function coded(error: TypeError | RangeError, code: string): ArgumentError {
  return Object.assign(error, { code });
}

/** What was passed, for a message. Some things cannot be looked at: a detached DataView, a proxy. */
function shown(value: unknown): string {
  try {
    return (require('node:util') as typeof Util).inspect(value, { depth: 0 });
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** `ERR_INVALID_ARG_TYPE`: the argument is of a wrong type. */
export function typeError(name: string, expected: string, actual: unknown): ArgumentError {
  return coded(
    new TypeError(`${name} must be ${expected}; received ${shown(actual)}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

/** `ERR_INVALID_ARG_VALUE`: the type is right, the value cannot be used. */
export function valueError(name: string, reason: string, actual: unknown): ArgumentError {
  return coded(
    new TypeError(`${name} ${reason}; received ${shown(actual)}`),
    'ERR_INVALID_ARG_VALUE',
  );
}

/** `ERR_OUT_OF_RANGE`: a number outside of what is allowed. */
export function rangeError(name: string, range: string, actual: unknown): ArgumentError {
  return coded(
    new RangeError(`${name} must be ${range}; received ${shown(actual)}`),
    'ERR_OUT_OF_RANGE',
  );
}

/**
 * A whole number within bounds, or an error that names it.
 *
 * @param value - what the caller passed
 * @param name - what the caller knows it by
 * @param min - the least that is allowed
 * @param max - the most that is allowed
 * @returns the value
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is not a number
 * @throws {RangeError} ERR_OUT_OF_RANGE when it is not whole or not within the bounds
 */
export function integer(
  value: unknown,
  name: string,
  min = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw rangeError(name, `a whole number from ${min} to ${max}`, value);
  }
  return value;
}

/** A file descriptor's number; 0 is one. */
export function descriptor(value: unknown, name = 'fd'): number {
  return integer(value, name, 0, 0x7fffffff);
}

/** A boolean, or undefined where an option may be missing. */
export function optionalBoolean(value: unknown, name: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw typeError(name, 'a boolean', value);
  return value;
}

/** One of the listed words. */
export function oneOf<T extends string>(value: unknown, name: string, words: readonly T[]): T {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  if (!(words as readonly string[]).includes(value)) {
    throw valueError(name, `must be one of ${words.map((word) => `'${word}'`).join(', ')}`, value);
  }
  return value as T;
}

/** A string that C can take: not empty, and without a NUL byte, at which C would cut it. */
export function cString(value: unknown, name: string): string {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  if (value.length === 0) throw valueError(name, 'must not be empty', value);
  if (value.includes('\0')) throw valueError(name, 'must not contain a NUL byte', value);
  return value;
}

/** No options; one object for all calls that have none. */
const NONE = Object.freeze({});

/** An options object, or an empty one, not to be changed, where none was passed. */
export function optionsObject<T extends object>(value: T | undefined, name = 'options'): T {
  if (value === undefined) return NONE as T;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw typeError(name, 'an object', value);
  }
  return value;
}

/** An object that has methods of these names. */
export function objectWith<T>(
  value: T,
  name: string,
  methods: readonly string[],
  expected: string,
): T {
  const methodsOf = (Object(value) === value ? value : {}) as Readonly<Record<string, unknown>>;
  if (methods.some((method) => typeof methodsOf[method] !== 'function')) {
    throw typeError(name, expected, value);
  }
  return value;
}

/** A function. */
export function callback<T>(value: T, name: string): T {
  if (typeof value !== 'function') throw typeError(name, 'a function', value);
  return value;
}

/**
 * The bytes of a message: a string as UTF-8, any view of memory as it is, without a copy.
 *
 * @param value - a string, a Uint8Array or another view
 * @param name - what the caller knows it by
 * @returns a Uint8Array over the same memory
 * @throws {TypeError} ERR_INVALID_ARG_TYPE for anything else
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when its memory was detached (transferred away)
 */
export function bytes(value: Bytes | ArrayBufferView, name = 'data'): Uint8Array {
  // The usual case first.
  if (value instanceof Uint8Array && value.length > 0) return value;
  if (typeof value === 'string') return Buffer.from(value);
  if (!ArrayBuffer.isView(value)) {
    throw typeError(name, 'a string, a Uint8Array or another view of memory', value);
  }
  // The length of a detached DataView cannot even be asked for.
  if ((value instanceof DataView || value.byteLength === 0) && isDetached(value)) {
    throw valueError(name, 'must not be detached (its memory was transferred)', value);
  }
  return value instanceof Uint8Array
    ? value
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Memory that a call may write into. */
export function writableBytes(value: unknown, name: string): Uint8Array {
  if (!ArrayBuffer.isView(value)) throw typeError(name, 'a Uint8Array', value);
  return bytes(value, name);
}

/**
 * Whether a view's memory was transferred away. Node 20 has no `ArrayBuffer.prototype.detached`: a
 * view over detached memory is told by its own construction, which throws.
 */
export function isDetached(view: ArrayBufferView): boolean {
  const { buffer } = view;
  if (!(buffer instanceof ArrayBuffer)) return false;
  if ('detached' in buffer) return buffer.detached === true;
  if (buffer.byteLength !== 0) return false;
  try {
    void new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
