// The packages that a URL leads to: nothing is opened, and what would have been is told.

/** What would have been called, with what. */
export class Reached extends Error {
  constructor(what, given) {
    super(what);
    this.what = what;
    this.given = given;
  }
}

const reach =
  (what) =>
  (...given) => {
    throw new Reached(what, given);
  };

export const PipeReader = { fromFd: reach('descriptor') };
export const PipeWriter = { fromFd: reach('descriptor') };
export const fifoSender = reach('path');
export const fifoReceiver = reach('path');
export const PosixQueue = { open: reach('name') };
export const SysvQueue = { open: reach('key'), fromId: reach('id') };
export const ShmRing = { attach: reach('name'), create: reach('name') };
export const connect = reach('address');
export const listen = reach('address');
export const Datagram = { connect, bind: connect };
export const popen = reach('command');

/** Called where something was opened; nothing ever is. */
const never = reach('nothing');
export const pipeSender = never;
export const pipeReceiver = never;
export const mqSender = never;
export const mqReceiver = never;
export const shmSender = never;
export const shmReceiver = never;
export const socketSender = never;
export const serverReceiver = never;
export const datagramSender = never;
export const datagramReceiver = never;

/** In the place of schemes/nats.js, which looks for its package where the program is. */
export const scheme = { sender: reach('nats'), receiver: reach('nats') };
