/**
 * All octoipc packages behind one import: a namespace for each mechanism, which loads at first use.
 *
 * @packageDocumentation
 */
export { fifo, mq, pipe, popen, sem, shm, signal, socket } from './namespaces.js';
