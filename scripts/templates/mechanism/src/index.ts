/**
 * An event counter that processes share.
 *
 * @packageDocumentation
 */
export { __Pascal__, type __Pascal__Options } from './__name__.js';
