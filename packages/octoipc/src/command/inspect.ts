import { IpcError } from '@octoipc/core';

import { kindsOf, matches, parseAddress } from '../objects/address.js';
import { inspectEntry, type Inspection } from '../objects/inspection.js';
import { takeInventory } from '../objects/inventory.js';
import { unlisted } from '../objects/unlisted.js';
import { color } from './colors.js';
import { jsonOf } from './json.js';
import { octal } from './listing.js';
import { userName } from './owners.js';
import { printable } from './printable.js';
import { tellRefusal } from './refusal.js';
import { STATUS } from './status.js';

/**
 * The verb `inspect`.
 *
 * @param url - of the object
 * @param options - of the command line
 * @returns the exit status
 */
export function inspect(url: string, { json = false }: { readonly json?: boolean }): number {
  const inspection = inspectionOf(url);
  process.stdout.write(json ? `${jsonOf(inspection, 2)}\n` : text(inspection));
  return STATUS.ok;
}

function inspectionOf(url: string): Inspection {
  const address = parseAddress(url);
  const { entries, around } = takeInventory({ kinds: kindsOf(address) });
  const entry = entries.find((each) => matches(address, each)) ?? unlisted(address, around);
  tellRefusal('inspect', around);
  if (entry !== undefined) return inspectEntry(entry, around);
  throw new IpcError('ENOENT', {
    text: 'there is no such object',
    target: url,
    hint: 'octoipc ls shows what there is',
  });
}

function text(inspection: Inspection): string {
  const { kind, url, id, key, mode, uid, gid, size, messages, orphaned, temporary } = inspection;
  const rows: [string, unknown][] = [
    ['kind', kind],
    ['id', id],
    ['key', key === undefined ? undefined : key === 0 ? 'private' : `0x${key.toString(16)}`],
    ['mode', mode === null ? null : octal(mode)],
    ['owner', uid === null ? null : `${userName(uid)} (${uid}), group ${gid}`],
    ['bytes', size],
    ['messages', messages],
    ['orphaned', orphaned],
    ['state', inspection.remarks.join(', ') || undefined],
    [
      'temporary',
      temporary === null ? undefined : `of process ${temporary.pid}: ${temporary.reason}`,
    ],
    ...Object.entries(inspection.details).map(([name, value]): [string, unknown] => [
      spoken(name),
      value,
    ]),
  ];
  const known = rows.filter(([, value]) => value !== undefined);
  const width = Math.max(...known.map(([name]) => name.length));
  return [
    color.bold(url),
    ...known.flatMap(([name, value]) => field(name.padEnd(width), value)),
    ...holders(inspection),
    '',
  ].join('\n');
}

/** `lastSendTime` as people say it. */
function spoken(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function field(name: string, value: unknown): string[] {
  if (Array.isArray(value) && value.some((each) => typeof each === 'object')) {
    return value.map(
      (each, index) =>
        `  ${color.dim(index === 0 ? name : ' '.repeat(name.length))}  ${shown(each)}`,
    );
  }
  return [`  ${color.dim(name)}  ${shown(value)}`];
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(shown).join(', ');
  if (typeof value === 'number') return value.toLocaleString('en-US', { useGrouping: false });
  if (typeof value === 'object') {
    const parts = Object.entries(value).map(([name, each]) => `${spoken(name)} ${shown(each)}`);
    return parts.join(', ');
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return printable(value as string);
}

function holders({ processes }: Inspection): string[] {
  return processes.map(({ pid, command, uid, startTime, fds, mapped }) => {
    const how = [
      ...fds.map(({ fd, access }) => `fd ${fd} (${access})`),
      ...(mapped ? ['mapped'] : []),
    ];
    const since = new Date(startTime).toISOString().slice(0, 19);
    const who = `${pid} ${printable(command)}, ${printable(userName(uid))}, since ${since}`;
    return `  ${color.cyan('process')}  ${who}${how.length > 0 ? `: ${how.join(', ')}` : ''}`;
  });
}
