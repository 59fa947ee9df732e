/**
 * Signals that say who, why and what: sending, watching, waiting, and processes that cannot be mistaken.
 *
 * @packageDocumentation
 */
export type { SignalInfo } from './info.js';
export { onSignal, type SignalListener } from './listener.js';
export { block, blocked, ignore, pending, restoreDefault, unblock } from './mask.js';
export { rt, type Signal, type SignalName, signals, SIGRTMAX, SIGRTMIN } from './names.js';
export { openProcess, type ProcessExit, ProcessHandle } from './process-handle.js';
export { exists, send, sendGroup, sendThread, threadId } from './send.js';
export type { SendOptions } from './value.js';
export { wait, waitSync } from './wait.js';
export { type SignalWatcher, watch, type WatchOptions } from './watcher.js';
