// Everything of which a process can leave something behind, in namespaces that this program has alone.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    const status = statSync(path, { throwIfNoEntry: false });
    return status === undefined ? [] : [[path, `${status.dev}:${status.ino}`]];
  });
}

function systemV(kind) {
  const [, ...lines] = readFileSync(`/proc/sysvipc/${kind}`, 'latin1').trim().split('\n');
  return lines.map((line) => {
    const [key, id] = line.trim().split(/\s+/);
    return [`${kind} 0x${(Number(key) >>> 0).toString(16).padStart(8, '0')}`, id];
  });
}

/** What there is, and which one it is. Records are told by their folder. */
export function world(folder, queues) {
  const kinds = ['msg', 'sem', 'shm'];
  return new Map([
    ...files('/dev/shm'),
    ...files(queues),
    ...files(folder),
    ...kinds.flatMap((kind) => systemV(kind)),
  ]);
}

/** What is in one world and not, or as another one, in the other. */
export function without(one, other) {
  return [...one].filter(([key, identity]) => other.get(key) !== identity).map(([key]) => key);
}
