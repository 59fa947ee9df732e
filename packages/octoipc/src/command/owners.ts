import { readFileSync } from 'node:fs';

let names: Map<number, string> | undefined;

/** The name of a user, or his number where /etc/passwd has none. */
export function userName(uid: number): string {
  names ??= readNames();
  return names.get(uid) ?? String(uid);
}

function readNames(): Map<number, string> {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    return new Map(
      lines
        .map((line) => line.split(':'))
        .filter((fields) => fields.length > 3)
        .map(([name, , uid]) => [Number(uid), name!]),
    );
  } catch {
    return new Map();
  }
}
