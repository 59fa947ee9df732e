/**
 * Programs at the other end of a pipe: all of `@octoipc/popen`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/popen';
