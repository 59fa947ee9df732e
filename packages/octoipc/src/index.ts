/**
 * All octoipc packages behind one import: a namespace for each mechanism, which loads at first use.
 *
 * @packageDocumentation
 */
export { fifo, mq, pipe, popen, signal } from './namespaces.js';
export { fifo, mq, pipe, popen, sem } from './namespaces.js';
export { fifo, mq, pipe, popen, shm } from './namespaces.js';
