import { cString, typeError } from '@octoipc/core/kit';

import { noNul, ShellLine } from './quote.js';

/** A command line for `/bin/sh -c`, or a program and its arguments. */
export type Command = string | ShellLine | readonly [file: string, ...args: string[]];

/** A command as execve(2) takes it. */
export interface Program {
  /** What is looked for: a path, or a name that PATH leads to. */
  readonly file: string;
  readonly argv: readonly string[];
  /** How errors name it. */
  readonly label: string;
}

const SHELL = '/bin/sh';

/**
 * What a command starts.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is neither a string nor an array of strings
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when the program's name is empty, or there is a NUL byte
 */
export function programOf(command: Command, name = 'command'): Program {
  if (typeof command === 'string' || command instanceof ShellLine) {
    const line = cString(String(command), name);
    // The shell must not take a command that begins with a hyphen for an option.
    return { file: SHELL, argv: ['sh', '-c', '--', line], label: line };
  }
  if (!Array.isArray(command)) {
    throw typeError(name, 'a command line or an array [file, …args]', command);
  }
  // A copy: what is checked is what is used.
  const argv: readonly unknown[] = Array.from(command);
  const file = cString(argv[0], `${name}[0]`);
  for (let i = 1; i < argv.length; i++) noNul(argv[i], `${name}[${i}]`);
  return { file, argv: argv as readonly string[], label: file };
}

/** Where programs are looked for where nothing says so: confstr(3)'s _CS_PATH. */
const DEFAULT_PATH = '/bin:/usr/bin';

/**
 * The paths to try for a program, in turn. A name with a slash is the only one; it, and relative
 * entries of PATH, are seen from the child's working directory, as execvp(3) sees them after chdir(2).
 */
export function candidates(
  file: string,
  env: Readonly<Record<string, string | undefined>> | undefined,
): string {
  if (file.includes('/')) return `${file}\0`;
  const path = env?.['PATH'] ?? process.env['PATH'];
  let list = '';
  for (const folder of (path ?? DEFAULT_PATH).split(':')) {
    list += folder === '' ? `./${file}\0` : `${folder}/${file}\0`;
  }
  return list;
}
