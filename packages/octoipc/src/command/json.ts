import { UNPRINTABLE } from './printable.js';

/**
 * A value as JSON that cannot play with the terminal: what others chose, names and messages, may be in it.
 *
 * @param value - what is told
 * @param indent - blanks of each level; none where it is to be one line
 * @returns JSON, with `\u009b` and the like in place of what cannot be printed
 */
export function jsonOf(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(UNPRINTABLE, (character) => {
    // Within strings JSON has escaped these itself; elsewhere they are ends of lines.
    if (character < ' ') return character;
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}
