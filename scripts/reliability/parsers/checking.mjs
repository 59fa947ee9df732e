// What the parsers' checks have in common: what is promised of any input, and the input as files.
import { IpcError } from '../../../packages/core/src/index.ts';
import { foreign } from './fake-fs.mjs';

/** A promise of the parser's that breaks. */
export class Broken extends Error {}

export function must(condition, promise) {
  if (!condition) throw new Broken(promise);
}

/** What may be thrown: a typed error. */
export function typed(error, ...more) {
  if (error instanceof IpcError || more.some((each) => error instanceof each)) return;
  if (String(error?.code).startsWith('ERR_')) return;
  throw error;
}

export function attempt(work, ...more) {
  try {
    return work();
  } catch (error) {
    typed(error, ...more);
    return undefined;
  }
}

/** The input as files below /proc would have it. */
export function asFiles(bytes, work) {
  foreign.bytes = bytes;
  foreign.reads = 0;
  try {
    const result = work();
    must(foreign.reads > 0, 'what is fuzzed is read');
    return result;
  } finally {
    foreign.bytes = undefined;
  }
}

/** Whether it is a number, whatever its size: the kernel wrote it. */
export const isNumber = (value) => typeof value === 'number';
