/**
 * All of `@octoipc/shm`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/shm';
