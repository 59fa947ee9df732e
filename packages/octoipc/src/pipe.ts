/**
 * Anonymous pipes: all of `@octoipc/pipe`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/pipe';
