import { typeError, valueError } from '@octoipc/core/kit';

import { placeAtEnd } from './place.js';

/** What a template may interpolate: a word, or a list of words. */
export type Word = string | number | bigint | readonly (string | number | bigint)[];

/** A command line for a shell, whose interpolated parts are quoted. */
export class ShellLine {
  readonly #line: string;

  constructor(line: string) {
    this.#line = line;
  }

  /** The command line. */
  toString(): string {
    return this.#line;
  }
}

/**
 * A template's text as it is, and between its parts the values, each quoted as one word.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when a value is no word
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when a value contains a NUL byte, or stands where the shell
 *   would not take it for a quoted word
 */
export function quotedLine(
  strings: readonly (string | undefined)[],
  values: readonly Word[],
): string {
  if (!Array.isArray(strings))
    throw typeError('the template', 'what a tag is called with', strings);
  const parts = strings.map((part, i) => {
    if (typeof part === 'string') return part;
    throw valueError(`part ${i + 1} of the template`, 'must have no unknown escapes', part);
  });
  let line = parts[0] ?? '';
  for (const [i, value] of values.entries()) {
    const name = `value ${i + 1} of the template`;
    const place = placeAtEnd(line);
    if (place !== undefined) throw valueError(name, `must not stand ${place}`, value);
    line += words(value, name) + (parts[i + 1] ?? '');
  }
  return line;
}

function words(value: Word, name: string): string {
  if (Array.isArray(value)) {
    return (value as readonly unknown[])
      .map((word, i) => quote(word, `${name} (entry ${i})`))
      .join(' ');
  }
  return quote(value, name);
}

/** Nothing is special within single quotes, except for the quote that ends them. */
function quote(value: unknown, name: string): string {
  if (typeof value === 'number' || typeof value === 'bigint') return `'${value}'`;
  return `'${noNul(value, name).replaceAll("'", "'\\''")}'`;
}

/** A string that may be empty, but has no NUL byte. */
export function noNul(value: unknown, name: string): string {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  if (value.includes('\0')) throw valueError(name, 'must not contain a NUL byte', value);
  return value;
}
