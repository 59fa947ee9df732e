import { fifoTour } from './fifo.js';
import { mqTour } from './mq.js';
import { pipeTour } from './pipe.js';
import { popenTour } from './popen.js';
import type { Mechanism } from './row.js';
import { semTour } from './sem.js';
import { shmTour } from './shm.js';
import { signalTour } from './signal.js';
import { socketTour } from './socket.js';

/** The stops of the tour, in order. A new package adds its file and a line here. */
export const mechanisms: readonly Mechanism[] = [
  pipeTour,
  fifoTour,
  mqTour,
  semTour,
  shmTour,
  signalTour,
  socketTour,
  popenTour,
];
