import { IpcError } from '@octoipc/core/kit';

/**
 * What a program has said, as JSON.
 *
 * @param text - its stdout
 * @param target - how errors name the program
 * @throws {IpcError} EBADMSG when it is no JSON
 */
export function parse(text: string, target: string | number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new IpcError('EBADMSG', {
      syscall: 'popen',
      target,
      text: `its output is no JSON: ${(cause as Error).message}`,
      hint: 'text() gives it as it is',
      cause,
    });
  }
}
