import { setTimeout as delay } from 'node:timers/promises';

import { kindsOf, matches, parseAddress, type Address } from '../objects/address.js';
import { takeInventory, type Filter, type Inventory } from '../objects/inventory.js';
import { plain, type Entry } from '../objects/object.js';
import { unlisted } from '../objects/unlisted.js';
import { color } from './colors.js';
import { filterOf, type FilterOptions } from './filters.js';
import { columnsOf, table, type Column } from './listing.js';
import { endsQuietly, interruption } from './process.js';
import { tellRefusal } from './refusal.js';
import { STATUS } from './status.js';

/** What `octoipc watch` takes. */
export interface WatchOptions extends FilterOptions {
  readonly json?: boolean;
  /** Milliseconds. */
  readonly interval: number;
  readonly count?: number;
}

/** How fast each counter of an object changes, a second. */
type Rates = Readonly<Record<string, number>>;

/** One look: what there was, and how it has changed since the look before. */
interface Look extends Inventory {
  readonly time: Date;
  readonly rates: ReadonlyMap<string, Rates>;
}

/**
 * The verb `watch`: looks again and again, until it is interrupted or has looked often enough.
 *
 * @param what - a URL, or what URLs are like
 * @param options - of the command line
 * @returns the exit status
 */
export async function watch(what: string | undefined, options: WatchOptions): Promise<number> {
  const choose = choiceOf(what, options);
  using interrupted = interruption();
  const gone = new AbortController();
  endsQuietly(process.stdout, () => gone.abort());
  const signal = AbortSignal.any([interrupted.signal, gone.signal]);
  const show = options.json === true ? showJson : painter();
  let before: Look | undefined;
  for (let turn = 1; !signal.aborted; turn++) {
    before = look(choose, before);
    if (turn === 1) tellRefusal('watch', before.around);
    show(before);
    if (turn === options.count) return STATUS.ok;
    await delay(options.interval, undefined, { signal }).catch(() => undefined);
  }
  return interrupted.status ?? STATUS.ok;
}

interface Choice {
  readonly filter: Filter;
  readonly address: Address | undefined;
}

/** A URL means one object; anything else is a pattern. */
function choiceOf(what: string | undefined, options: WatchOptions): Choice {
  const isUrl = what !== undefined && /^[a-z-]+:/.test(what) && !/[*?]/.test(what);
  if (!isUrl) return { filter: filterOf(options, what), address: undefined };
  const address = parseAddress(what);
  return { filter: { ...filterOf(options), kinds: options.kind ?? kindsOf(address) }, address };
}

function look({ filter, address }: Choice, before: Look | undefined): Look {
  const { entries: all, around } = takeInventory(filter);
  const listed = all.filter((entry) => address === undefined || matches(address, entry));
  const wants = address !== undefined && listed.length === 0 && isUnfiltered(filter, address);
  const entries = wants ? [unlisted(address, around) ?? []].flat() : listed;
  const time = new Date();
  const old = new Map(before?.entries.map((entry) => [entry.url, entry]));
  const seconds = before === undefined ? 0 : (time.getTime() - before.time.getTime()) / 1000;
  const rates = new Map(
    entries.map((entry) => [entry.url, ratesOf(entry, old.get(entry.url), seconds)]),
  );
  return { entries, around, time, rates };
}

/** Whether nothing but a URL says what is wanted. */
function isUnfiltered({ kinds, orphaned, mine, pid }: Filter, { kind }: Address): boolean {
  const others = [orphaned, mine, pid].some((each) => each !== undefined);
  return !others && (kinds?.includes(kind) ?? true);
}

function ratesOf({ counters = {} }: Entry, before: Entry | undefined, seconds: number): Rates {
  if (before === undefined || seconds === 0) return {};
  const changes = Object.entries(counters).flatMap(([name, value]): [string, number][] => {
    const old = before.counters?.[name];
    // Counts of bytes are numbers of 32 bits, which begin anew at their end.
    return old === undefined ? [] : [[name, ((value - old) | 0) / seconds]];
  });
  return Object.fromEntries(changes);
}

function showJson({ time, entries, rates }: Look): void {
  const objects = entries.map((entry) => ({ ...plain(entry), rates: rates.get(entry.url) ?? {} }));
  process.stdout.write(`${JSON.stringify({ time, objects })}\n`);
}

const USUAL = { rows: 24, columns: 80 } as const;

/** Shows looks: in place of the last one on a terminal, elsewhere one after the other. */
function painter(): (look: Look) => void {
  const { stdout } = process;
  if (!stdout.isTTY || process.env['TERM'] === 'dumb') {
    return (current) => stdout.write(`${heading(current)}\n${body(current)}\n`);
  }
  let height = 0;
  return (current) => {
    // A serial line, or a terminal that a program has made, may have no size.
    const [rows, width] = [stdout.rows || USUAL.rows, stdout.columns || USUAL.columns];
    const room = Math.max(rows - 2, 1);
    const lines = body(current).trimEnd().split('\n');
    const shown = lines.slice(0, room).map((line) => fit(line, width));
    const more = lines.length - shown.length;
    const title = heading(current) + (more > 0 ? color.dim(`, ${more} more below`) : '');
    const up = height > 0 ? `\u001b[${height}A\r` : '';
    stdout.write(`${up}\u001b[J${fit(title, width)}\n${shown.join('\n')}\n`);
    height = shown.length + 1;
  };
}

function heading({ time, entries }: Look): string {
  const count = entries.length === 1 ? '1 object' : `${entries.length} objects`;
  return `${color.bold(time.toISOString())}  ${count}`;
}

function body({ entries, around, rates }: Look): string {
  if (entries.length === 0) return 'nothing\n';
  const changes: Column = {
    title: 'a second',
    cell: ({ url }) =>
      Object.entries(rates.get(url) ?? {})
        .filter(([, rate]) => rate !== 0)
        .map(([name, rate]) => `${name} ${rate > 0 ? '+' : ''}${rounded(rate)}`)
        .join(', '),
  };
  const columns = columnsOf(around.processes);
  return table(entries, [...columns.slice(0, -1), changes, ...columns.slice(-1)]);
}

function rounded(rate: number): string {
  return rate.toLocaleString('en-US', { maximumFractionDigits: Math.abs(rate) < 10 ? 1 : 0 });
}

/** A line cut to the terminal's width, its colours not counted. */
function fit(line: string, width: number): string {
  let room = width - 1;
  const parts = line.split(/(\u001b\[[\d;]*m)/);
  const kept = parts.map((part) => {
    if (part.startsWith('\u001b')) return part;
    const cut = Array.from(part).slice(0, Math.max(room, 0)).join('');
    room -= cut.length;
    return cut;
  });
  return kept.join('');
}
