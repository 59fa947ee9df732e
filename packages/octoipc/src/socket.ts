/**
 * All of `@octoipc/socket`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/socket';
