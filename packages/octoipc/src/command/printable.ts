/** What moves the cursor, hides or turns text: controls, formats, line ends other than blanks. */
export const UNPRINTABLE: RegExp = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * Text of others that cannot play with the terminal: what cannot be seen is escaped.
 *
 * @param text - a name, a command, a message
 * @returns the text, with `\x1b` and the like in place of what cannot be printed
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
