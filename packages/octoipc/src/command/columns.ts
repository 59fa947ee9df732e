import { stripVTControlCharacters } from 'node:util';

/** What terminals show two columns wide: East Asian characters and pictures. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/gu;

/** Columns that a terminal takes for a text. */
function widthOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  const characters =
    plain.length < 0x80 && /^[\x20-\x7e]*$/.test(plain) ? plain : Array.from(plain);
  return (
    characters.length + (typeof characters === 'string' ? 0 : (plain.match(WIDE)?.length ?? 0))
  );
}

/**
 * Rows in columns that are as wide as they must be, two blanks between them. cli-table3, which draws the short
 * tables, takes some time that grows with the square of the rows.
 *
 * @param rows - of as many cells each
 * @param right - whether a column's cells stand at its right
 * @returns lines
 */
export function inColumns(rows: readonly (readonly string[])[], right: readonly boolean[]): string {
  const widths = right.map(() => 0);
  const measured = rows.map((row) =>
    row.map((text, index) => {
      const width = widthOf(text);
      widths[index] = Math.max(widths[index]!, width);
      return { text, width };
    }),
  );
  return measured
    .map((row) => {
      const cells = row.map(({ text, width }, index) => {
        const blanks = ' '.repeat(widths[index]! - width);
        return right[index] === true ? blanks + text : text + blanks;
      });
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}
