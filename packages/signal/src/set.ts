import { nameOf, SIGRTMAX, type SignalName } from './names.js';

/** A set of signals in two words, as the native side takes it: bit n - 1 is signal n. */
export function addTo(words: Int32Array, at: number, number: number): void {
  const index = at + (number > 32 ? 1 : 0);
  words[index] = words[index]! | (1 << ((number - 1) & 31));
}

/** The two words of a set. */
export function wordsOf(numbers: Iterable<number>): Int32Array {
  const words = new Int32Array(2);
  for (const number of numbers) addTo(words, 0, number);
  return words;
}

/** The names of what a set holds, in the order of their numbers. */
export function namesOf(words: Int32Array): SignalName[] {
  const names: SignalName[] = [];
  for (let number = 1; number <= SIGRTMAX; number++) {
    const word = words[number > 32 ? 1 : 0]!;
    if ((word & (1 << ((number - 1) & 31))) !== 0) names.push(nameOf(number));
  }
  return names;
}
