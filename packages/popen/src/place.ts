const SINGLE = 'within single quotes: it is quoted already';
const DOUBLE = 'within double quotes: it is quoted already';
const BACK = 'within backquotes: write $(…)';
const NESTED =
  'within a command that stands in double quotes: put what it says into a variable first';
const UNSURE =
  'behind quotes in double quotes of which shells do not agree where they end: put them into a variable first';
const ARITHMETIC_END = 'within arithmetic ($((…)), ((…)), $[…], ${x:…}), which has no quotes';

/**
 * Where a command line ends, if that is a place at which single quotes do not open.
 *
 * @param line - a command line, or its beginning
 * @returns the place, for an error; undefined where a quoted word can stand
 */
export function placeAtEnd(line: string): string | undefined {
  return new CommandLine(line).commands(false);
}

/** A command line that is read from its beginning to its end. */
class CommandLine {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * Reads commands: all of them, or those of a `$(…)` in double quotes up to its end. Only of the latter does it matter
   * what their parentheses belong to.
   */
  commands(nested: boolean): string | undefined {
    const text = this.#text;
    let depth = 0;
    while (this.#at < text.length) {
      const at = this.#at;
      const char = text[at]!;
      let place: string | undefined;
      if (char === '\\') {
        this.#at += 2;
        if (this.#at > text.length) return 'behind a backslash';
      } else if (char === "'") place = this.#skipTo(text.indexOf("'", at + 1), SINGLE);
      else if (char === '"') place = this.#doubleQuoted();
      else if (char === '`') place = this.#skipTo(endOfBackquotes(text, at), BACK);
      else if (char === '#' && (at === 0 || /[ \t\n;&|()<>]/.test(text[at - 1]!)))
        place = this.#skipTo(text.indexOf('\n', at), 'within a comment');
      else if (text.startsWith('<<', at)) return 'behind <<: a here-document has no quotes';
      else if (startsArithmetic(text, at))
        place = this.#skipTo(endOfArithmetic(text, at), ARITHMETIC_END);
      else if (text.startsWith("$'", at))
        return "behind $'…': shells do not agree on where that ends";
      else if (char === '$' && at === text.length - 1) return 'behind a dollar sign';
      else if (nested && text.startsWith('${', at)) place = this.#expansion();
      // The parentheses of its patterns have no other half.
      else if (nested && startsCase(text, at)) return 'behind a case in double quotes';
      else {
        this.#at += 1;
        if (char === '(') depth += 1;
        if (nested && char === ')' && depth-- === 0) return undefined;
      }
      if (place !== undefined) return place;
    }
    return nested ? NESTED : undefined;
  }

  /** Reads what stands between double quotes, and those. */
  #doubleQuoted(): string | undefined {
    const text = this.#text;
    this.#at += 1;
    while (this.#at < text.length) {
      const at = this.#at;
      let place: string | undefined;
      if (text[at] === '"') return this.#skipTo(at, DOUBLE);
      if (text[at] === '`') place = this.#skipPlain(endOfBackquotes(text, at));
      else if (text.startsWith('$((', at)) place = this.#skipPlain(endOfArithmetic(text, at));
      else place = this.#expansion();
      if (place !== undefined) return place;
    }
    return DOUBLE;
  }

  /** Reads a `$(…)`, a `${…}`, or a character, in double quotes. */
  #expansion(): string | undefined {
    const text = this.#text;
    const [two, char] = [text.slice(this.#at, this.#at + 2), text[this.#at]];
    this.#at += char === '\\' || two === '$(' || two === '${' ? 2 : 1;
    if (two === '$(') return this.commands(true);
    if (two !== '${') return undefined;
    while (this.#at < text.length) {
      const next = text[this.#at]!;
      if (next === '}') return this.#skipTo(this.#at, DOUBLE);
      if ('\'"`'.includes(next)) return UNSURE;
      const place = this.#expansion();
      if (place !== undefined) return place;
    }
    return DOUBLE;
  }

  /** Goes on behind a character; where there is none, the line ends in that place. */
  #skipTo(end: number, place: string): string | undefined {
    if (end < 0) return place;
    this.#at = end + 1;
    return undefined;
  }

  /** The same for what stands in double quotes, and has no quotes of its own. */
  #skipPlain(end: number): string | undefined {
    if (end >= 0 && /['"\\]/.test(this.#text.slice(this.#at, end))) return UNSURE;
    return this.#skipTo(end, DOUBLE);
  }
}

/** A word, not a part of one, nor a variable. */
const CASE = /(?<![\w$-])case(?=[\s\\])/y;

function startsCase(line: string, i: number): boolean {
  CASE.lastIndex = i;
  return CASE.test(line);
}

/** Where the backquote is that ends what another one begins; negative where there is none. */
function endOfBackquotes(text: string, begin: number): number {
  for (let i = begin + 1; i < text.length; i++) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '`') return i;
  }
  return -1;
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
    else if ('\'"`'.includes(char)) open = char;
    else if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char) && --depth === 0) return i;
  }
  return -1;
}
