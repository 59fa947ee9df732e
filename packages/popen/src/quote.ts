import { typeError, valueError } from '@octoipc/core/kit';

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

const QUOTES: Readonly<Record<string, string>> = {
  "'": 'within single quotes: it is quoted already',
  '"': 'within double quotes: it is quoted already',
  '`': 'within backquotes: write $(…)',
};

/** Where a command line ends, if that is a place at which single quotes do not open. */
function placeAtEnd(line: string): string | undefined {
  let open = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === '\\' && open !== "'") {
      i += 1;
      if (i === line.length) return 'behind a backslash';
    } else if (open !== '') {
      if (char === open) open = '';
    } else if (char in QUOTES) {
      open = char;
    } else if (char === '#' && (i === 0 || /[ \t\n;&|()<>]/.test(line[i - 1]!))) {
      i = line.indexOf('\n', i);
      if (i < 0) return 'within a comment';
    } else if (line.startsWith('<<', i)) {
      return 'behind <<: a here-document has no quotes';
    } else if (startsArithmetic(line, i)) {
      i = endOfArithmetic(line, i);
      if (i < 0) return 'within arithmetic ($((…)), ((…)), $[…], ${x:…}), which has no quotes';
    } else if (line.startsWith("$'", i)) {
      return "behind $'…': shells do not agree on where that ends";
    } else if (char === '$' && i === line.length - 1) {
      return 'behind a dollar sign';
    }
  }
  return QUOTES[open];
}

/** POSIX's `$((…))`, and what only some shells take for arithmetic: `((…))`, `$[…]`, `${x:…}`, `${x[…]}`. */
const ARITHMETIC = /\$?\(\(|\$\[|\$\{[!#]?\w+(?:\[|:(?![-=?+]))/y;

function startsArithmetic(line: string, i: number): boolean {
  ARITHMETIC.lastIndex = i;
  return ARITHMETIC.test(line);
}

/**
 * Where the arithmetic that begins at a place ends, its own brackets and quotes in it being closed; negative
 * where it does not.
 */
function endOfArithmetic(line: string, begin: number): number {
  let depth = 0;
  let open = '';
  for (let i = begin; i < line.length; i++) {
    const char = line[i]!;
    if (char === '\\' && open !== "'") i += 1;
    else if (open !== '') open = char === open ? '' : open;
    else if (char in QUOTES) open = char;
    else if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char) && --depth === 0) return i;
  }
  return -1;
}

/** A string that may be empty, but has no NUL byte. */
export function noNul(value: unknown, name: string): string {
  if (typeof value !== 'string') throw typeError(name, 'a string', value);
  if (value.includes('\0')) throw valueError(name, 'must not contain a NUL byte', value);
  return value;
}
