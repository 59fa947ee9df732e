import type { Entry } from '../objects/object.js';
import type { ProcessTable } from '../objects/process-table.js';
import { color } from './colors.js';
import { inColumns } from './columns.js';
import { userName } from './owners.js';
import { printable } from './printable.js';

const NOTHING = '–';
/** So many holders are named in a row. */
const NAMED = 2;

/** A column of the table: its title, where it aligns, what it says of an object. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
  readonly cell: (entry: Entry) => string;
}

/** The columns of a listing. */
export function columnsOf(processes: ProcessTable): Column[] {
  return [
    { title: 'kind', cell: ({ kind }) => color.cyan(kind) },
    { title: 'URL', cell: ({ url }) => url },
    { title: 'id', right: true, cell: ({ id }) => (id === undefined ? NOTHING : String(id)) },
    { title: 'mode', cell: ({ mode }) => (mode === null ? NOTHING : octal(mode)) },
    { title: 'owner', cell: ({ uid }) => (uid === null ? NOTHING : printable(userName(uid))) },
    { title: 'bytes', right: true, cell: ({ size }) => number(size) },
    { title: 'messages', right: true, cell: ({ messages }) => number(messages) },
    { title: 'holders', cell: ({ holders }) => holdersCell(holders, processes) },
    { title: 'state', cell: stateCell },
  ];
}

/** Entries as a table. */
export function table(entries: readonly Entry[], columns: readonly Column[]): string {
  const head = columns.map(({ title }) => color.bold(title));
  const rows = entries.map((entry) => columns.map(({ cell }) => cell(entry)));
  return inColumns(
    [head, ...rows],
    columns.map(({ right }) => right ?? false),
  );
}

/** Permission bits as chmod(1) takes them. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function number(value: number | undefined): string {
  return value === undefined ? NOTHING : value.toLocaleString('en-US');
}

function holdersCell(holders: readonly number[], processes: ProcessTable): string {
  if (holders.length === 0) return NOTHING;
  const named = holders
    .slice(0, NAMED)
    .map((pid) => `${pid} ${printable(processes.process(pid)?.command ?? '')}`.trimEnd());
  const more = holders.length - NAMED;
  return more > 0 ? `${named.join(', ')} +${more}` : named.join(', ');
}

function stateCell({ remarks, orphaned }: Entry): string {
  const text = printable(remarks.join(', '));
  return orphaned ? color.yellow(text) : text;
}
