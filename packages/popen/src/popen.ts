import { sh } from './shell.js';
import { start } from './start.js';

/**
 * Starts a program at the other end of a pipe.
 *
 * @param command - a string for `/bin/sh -c`, or `[file, …args]` without a shell
 * @param mode - `r` reads its stdout, `w` writes its stdin, `r+` both; what is no pipe is the parent's
 * @param options - its surroundings, and when it is ended
 * @returns the program, which runs
 * @throws {IpcError} ENOENT when there is no such program (its `syscall` is `execve`), or no such `cwd`
 *   (`chdir`)
 * @throws {IpcError} EACCES when it may not be executed, or is a directory, or may not lower its niceness
 * @throws {IpcError} E2BIG when arguments and environment are longer than the kernel takes
 * @throws {IpcError} EAGAIN when there are too many processes, EMFILE when there are too many descriptors
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when a string has a NUL byte, or the program's name is empty
 * @example
 * ```js
 * import { popen } from '@octoipc/popen';
 *
 * await popen('echo hello | tr a-z A-Z').text(); //=> 'HELLO\n'
 * const sort = popen(['sort', '-n'], 'r+');
 * await sort.end('10\n9\n');
 * await sort.text(); //=> '9\n10\n'
 * ```
 * @see popen(3), execve(2)
 */
export const popen: typeof start & {
  /**
   * A command line, in which each interpolated value is quoted as one word, an array as several.
   *
   * @returns the command line, for `popen` and the like, or to be started by itself
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when a value has a NUL byte, or stands within quotes, in a
   *   comment, a here-document or wherever else a quoted word would not be taken for one
   * @example
   * ```js
   * import { popen } from '@octoipc/popen';
   *
   * const name = "it's; rm -rf $HOME";
   * await popen.sh`printf %s ${name}`.text(); //=> "it's; rm -rf $HOME"
   * ```
   */
  readonly sh: typeof sh;
} = Object.assign(start, { sh });
