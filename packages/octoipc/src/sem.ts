/**
 * All of `@octoipc/sem`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/sem';
