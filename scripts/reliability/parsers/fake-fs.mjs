// node:fs for a parser that is fuzzed: whatever it reads is the input.
import * as fs from 'node:fs';

export * from 'node:fs';

/** The bytes of every file; undefined: the real ones. And how often they were asked for. */
export const foreign = (globalThis.octoipcForeign ??= { bytes: undefined, reads: 0 });

export function readFileSync(path, options) {
  if (foreign.bytes === undefined) return fs.readFileSync(path, options);
  foreign.reads += 1;
  const encoding = typeof options === 'string' ? options : options?.encoding;
  return encoding === undefined || encoding === null
    ? foreign.bytes
    : foreign.bytes.toString(encoding);
}

export function readlinkSync(path, options) {
  if (foreign.bytes === undefined) return fs.readlinkSync(path, options);
  foreign.reads += 1;
  return foreign.bytes.toString('utf8').replaceAll('\0', '');
}

/** Folders have what the input says, a line each; no name has a NUL or is empty. */
export function readdirSync(path, options) {
  if (foreign.bytes === undefined) return fs.readdirSync(path, options);
  foreign.reads += 1;
  const names = foreign.bytes.toString('utf8').replaceAll('\0', '').split('\n');
  return names.filter((name) => name !== '').slice(0, 4);
}
