import { readFileSync, statSync } from 'node:fs';

/** What a process has mapped. */
export interface Mapped {
  /** Shared files by `major:minor inode`. */
  readonly files: ReadonlyMap<string, { readonly target: string; readonly path: string }>;
  /** Ids of System V segments. */
  readonly segments: ReadonlySet<number>;
}

/**
 * The key of a file: the maps of a process have its device as major:minor, in hexadecimal.
 *
 * @see makedev(3), proc_pid_maps(5)
 */
export function fileKey(dev: number, ino: number): string {
  const major = Math.floor(dev / 0x100) & 0xfff;
  const minor = (dev & 0xff) | (Math.floor(dev / 0x1000) & 0xfff00);
  const hex = (number: number): string => number.toString(16).padStart(2, '0');
  return `${hex(major)}:${hex(minor)} ${ino}`;
}

/** What of /proc/PID/maps is memory that processes share. */
export class MappedFiles {
  readonly #device: number;
  /** How the line of a file in /dev/shm has its device. */
  readonly #field: string;

  constructor() {
    this.#device = deviceOf('/dev/shm');
    this.#field = ` ${fileKey(this.#device, 0).split(' ')[0]!} `;
  }

  /** Whether a file is one of /dev/shm, or a memfd. */
  isMemory(device: number, target: string): boolean {
    return device === this.#device || target.startsWith('/memfd:');
  }

  /** What of a process's memory is shared, by name; nothing where it has ended. */
  of(pid: number): Mapped {
    const files = new Map<string, { target: string; path: string }>();
    const segments = new Set<number>();
    for (const line of linesOf(pid)) {
      const segment = line.includes(' /SYSV');
      if (!segment && !line.includes(this.#field) && !line.includes(' /memfd:')) continue;
      const [, range = '', device = '', inode = '', target = ''] =
        /^(\S+) \S+ \S+ (\S+) (\d+) +(.*)$/.exec(line) ?? [];
      if (segment) segments.add(Number(inode));
      else files.set(`${device} ${inode}`, { target, path: `/proc/${pid}/map_files/${range}` });
    }
    return { files, segments };
  }
}

function linesOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function deviceOf(path: string): number {
  try {
    return statSync(path).dev;
  } catch {
    return -1;
  }
}
