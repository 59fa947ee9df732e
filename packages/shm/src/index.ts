/**
 * An event counter that processes share.
 *
 * @packageDocumentation
 */
export { Shm, type ShmOptions } from './shm.js';
