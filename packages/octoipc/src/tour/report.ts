import { arch, release, type } from 'node:os';

import Table from 'cli-table3';

import { color } from '../command/colors.js';
import type { Payload } from './payload.js';
import type { Mechanism, RowResult } from './row.js';

/** What stands in a cell that says nothing. */
const NOTHING = '–';

/** A table without lines, two spaces between its columns. */
export const LINELESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** What is printed before the tour: what travels, where, and by which mechanisms. */
export function header(payload: Payload, mechanisms: readonly Mechanism[]): string {
  const facts = [
    ['file', `${printable(payload.path)}, ${count(payload.size)} bytes`],
    ['SHA-256', `${payload.digest.slice(0, 16)}…`],
    ['here', `${type()} ${release()}, ${arch()}, Node.js ${process.version}`],
  ];
  const width = Math.max(...mechanisms.map(({ name }) => name.length));
  return [
    color.bold('A file travels between two processes, once by each mechanism.'),
    '',
    ...facts.map(([name, value]) => `  ${color.dim(name!.padEnd(7))}  ${value}`),
    '',
    ...mechanisms.map(({ name, purpose }) => `  ${color.cyan(name.padEnd(width))}  ${purpose}`),
    '',
    '',
  ].join('\n');
}

/** The results as a table. */
export function table(results: readonly RowResult[]): string {
  const head = ['mechanism', 'what it did', 'bytes', 'messages', 'time', 'MB/s', 'verified'];
  const rows = new Table({
    head: head.map((title) => color.bold(title)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: LINELESS,
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const { mechanism, what, bytes, messages, milliseconds, ...rest } of results) {
    rows.push([
      color.cyan(mechanism),
      what,
      count(bytes),
      messages === 0 ? NOTHING : count(messages),
      time(milliseconds),
      bytes === 0 ? NOTHING : speed(rest.megabytesPerSecond),
      rest.verified ? color.green('yes') : color.red('NO'),
    ]);
  }
  return `${rows.toString()}\n\n`;
}

/** What the table comes to, and why a row failed. */
export function footer(results: readonly RowResult[]): string {
  const failed = results.filter(({ verified }) => !verified);
  if (failed.length === 0) {
    return `${color.green('Verified:')} the second process computed the same SHA-256, each time. MB/s includes that.\n`;
  }
  const reasons = failed.map(
    ({ mechanism, what, error = '' }) => `${mechanism}  ${what}: ${color.red(error)}\n`,
  );
  return `${reasons.join('')}${failed.length} of ${results.length} failed.\n`;
}

/** The results for programs. */
export function json(results: readonly RowResult[]): string {
  return `${JSON.stringify(results, null, 2)}\n`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** A number for people: `98,932,688`. */
function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Bytes for people: `98.9 MB`. */
export function amount(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]!}`;
}

/** Milliseconds for people: `231 ms`, `1.24 s`. */
export function time(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Megabytes per second for people. */
export function speed(value: number): string {
  if (!Number.isFinite(value)) return NOTHING;
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1);
}

/** A path that cannot play with the terminal. */
function printable(path: string): string {
  return path.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
