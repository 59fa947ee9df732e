/**
 * Signals that say who, why and what: all of `@octoipc/signal`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/signal';
