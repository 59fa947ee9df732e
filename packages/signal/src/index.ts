/**
 * An event counter that processes share.
 *
 * @packageDocumentation
 */
export { Signal, type SignalOptions } from './signal.js';
