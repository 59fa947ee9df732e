/**
 * Semaphores and locks: all of `@octoipc/sem`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/sem';
