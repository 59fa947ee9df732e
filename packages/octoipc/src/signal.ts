/**
 * All of `@octoipc/signal`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/signal';
