import { diagnose, type Finding, type Level } from '../doctor/diagnosis.js';
import { color } from './colors.js';
import { jsonOf } from './json.js';
import { printable } from './printable.js';
import { STATUS } from './status.js';

const MARKS: Readonly<Record<Level, string>> = {
  ok: color.green('ok'.padEnd(7)),
  note: color.dim('note'.padEnd(7)),
  warning: color.yellow('warning'),
  broken: color.red('broken'.padEnd(7)),
};

/**
 * The verb `doctor`.
 *
 * @param options - of the command line
 * @returns the exit status
 */
export function doctor(options: { readonly json?: boolean; readonly all?: boolean }): number {
  const findings = diagnose();
  if (options.json === true) process.stdout.write(`${jsonOf(findings, 2)}\n`);
  else process.stdout.write(text(findings, options.all === true));
  return findings.some(({ level }) => level === 'broken') ? STATUS.failed : STATUS.ok;
}

function text(findings: readonly Finding[], all: boolean): string {
  const shown = findings.filter(({ level }) => all || level !== 'ok');
  const lines = shown.map(({ level, name, value, remedy }) => {
    const what = `${MARKS[level]}  ${printable(name)}${value === undefined ? '' : `: ${printable(String(value))}`}`;
    return remedy === undefined ? `${what}\n` : `${what}\n         ${printable(remedy)}\n`;
  });
  const count = (level: Level): number => findings.filter((each) => each.level === level).length;
  const hidden = all ? '' : ` (${color.dim('--all shows them')})`;
  return `${lines.join('')}${count('ok')} as it should be${hidden}, ${count('warning')} warnings, ${count('broken')} broken\n`;
}
