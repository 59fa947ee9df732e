/**
 * Message queues: all of `@octoipc/mq`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/mq';
