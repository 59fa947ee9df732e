import { integer, optionalBoolean, optionsObject, typeError } from '@octoipc/core/kit';

import { MOST_BYTES } from './mapping.js';

/** How POSIX shared memory is opened. */
export interface SharedMemoryOpenOptions {
  /** Create it if it is missing. @default false */
  readonly create?: boolean | undefined;
  /** Create it, and fail with `EEXIST` if it is there already. @default false */
  readonly exclusive?: boolean | undefined;
  /** Permission bits of new memory, exact whatever the umask. @default 0o600 */
  readonly mode?: number | undefined;
  /** Memory that this call creates loses its name when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
  /** Bytes of new memory, needed to create; what exists must be at least so large, and is mapped whole. */
  readonly size?: number | undefined;
  /** Map it for reading only. @default false */
  readonly readOnly?: boolean | undefined;
}

/** How a file is mapped. */
export interface FileMemoryOptions {
  /** Create it, for its owner alone (`0o600`), if it is missing. @default false */
  readonly create?: boolean | undefined;
  /** Bytes of a new file, needed to create; what exists must be at least so large, and is mapped whole. */
  readonly size?: number | undefined;
  /** Map it for reading only. @default false */
  readonly readOnly?: boolean | undefined;
}

/** Options with their defaults. */
export interface CheckedOptions {
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly temporary: boolean;
  readonly mode: number;
  readonly size: number | undefined;
  readonly readOnly: boolean;
}

const DEFAULT_MODE = 0o600;

/** A size in bytes; one that no buffer can have is refused before any system call. */
export function checkSize(size: unknown, name: string): number {
  return integer(size, name, 1, MOST_BYTES);
}

/** Checks options of what is opened or created by a name, a path or a key. */
export function checkOptions(options: SharedMemoryOpenOptions | undefined): CheckedOptions {
  const given = optionsObject<SharedMemoryOpenOptions>(options);
  const { mode = DEFAULT_MODE, size } = given;
  const exclusive = optionalBoolean(given.exclusive, 'options.exclusive') ?? false;
  const temporary = optionalBoolean(given.temporary, 'options.temporary') ?? false;
  const create = optionalBoolean(given.create, 'options.create') ?? (exclusive || temporary);
  const readOnly = optionalBoolean(given.readOnly, 'options.readOnly') ?? false;
  integer(mode, 'options.mode', 0, 0o777);
  if (size !== undefined) checkSize(size, 'options.size');
  else if (create) throw typeError('options.size', 'a number of bytes, to create', size);
  return { create, exclusive, temporary, mode, size, readOnly };
}
