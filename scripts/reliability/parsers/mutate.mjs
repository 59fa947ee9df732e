// Changes an input: bits, bytes, words, pieces, words of the format, and parts of other inputs.

const WORDS = [
  '\0',
  '\n',
  '\\',
  "'",
  '"',
  '`',
  '$',
  '$(',
  '$((',
  '<<',
  '#',
  '%',
  '%2f',
  ':',
  '/',
  '@',
  '[',
  ']',
  '\u001f',
  '\u001b[31m',
  '\u202e',
  '\ud83d\ude00',
  '{',
  '}',
  '-1',
  '4294967296',
  'id=',
  '0x',
  '(',
  ')',
  'unix:',
  'é',
];
const NUMBERS = [
  0, 1, 2, 4, 8, 127, 128, 255, 256, 300, 301, 4095, 4096, 65_535, 0x7fff_ffff, 0x8000_0000,
  0xffff_fffc, 0xffff_ffff,
];
const LONGEST = 9000;

/** One change of a copy of `input`. */
export function mutate(chance, input, others) {
  let bytes = Buffer.from(input);
  for (let changes = 1 + chance.below(4); changes > 0; changes--) {
    bytes = change(chance, bytes, others).subarray(0, LONGEST);
  }
  return bytes;
}

function insert(bytes, at, piece) {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function change(chance, bytes, others) {
  const at = chance.below(bytes.length + 1);
  switch (chance.below(8)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << chance.below(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = chance.below(256);
      return bytes;
    case 2: {
      // Lengths and words stand at multiples of four, mostly at the beginning.
      const word = 4 * chance.below(Math.min(160, Math.max(1, bytes.length >> 2)));
      if (word + 4 <= bytes.length) bytes.writeUInt32LE(chance.one(NUMBERS), word);
      return bytes;
    }
    case 3:
      return insert(bytes, at, Buffer.from(chance.one(WORDS)));
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + chance.below(8))]);
    case 5:
      return bytes.subarray(0, at);
    case 6: {
      const other = chance.one(others);
      const from = chance.below(other.length + 1);
      return insert(bytes, at, other.subarray(from, from + 1 + chance.below(64)));
    }
    default:
      return insert(bytes, at, bytes.subarray(at, at + 1 + chance.below(32)));
  }
}
