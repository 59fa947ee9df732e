/**
 * All octoipc packages behind one import: a namespace for each mechanism, which loads at first use.
 *
 * @packageDocumentation
 */
export { fifo, pipe } from './namespaces.js';
