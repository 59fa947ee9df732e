// What each mechanism does while its system calls fail.
import { LOCKS } from './scenes/locks.mjs';
import { MEMORY } from './scenes/memory.mjs';
import { PROCESSES } from './scenes/processes.mjs';
import { QUEUES } from './scenes/queues.mjs';
import { SOCKETS } from './scenes/sockets.mjs';
import { STREAMS } from './scenes/streams.mjs';

export const SCENES = { ...STREAMS, ...QUEUES, ...LOCKS, ...MEMORY, ...SOCKETS, ...PROCESSES };
