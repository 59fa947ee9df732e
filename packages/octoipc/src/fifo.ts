/**
 * Named pipes: all of `@octoipc/fifo`.
 *
 * @packageDocumentation
 */
export * from '@octoipc/fifo';
