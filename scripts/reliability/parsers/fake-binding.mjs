// binding.js of a package whose sources are fuzzed: no system call is made, and what they would answer is the input's.
import { foreign } from './fake-fs.mjs';
import { lot } from './fake-world.mjs';

const [ENOENT, EACCES, EADDRINUSE, ECONNREFUSED, ENOPROTOOPT] = [-2, -13, -98, -111, -92];
const one = (...answers) => answers[lot(answers.length)];

const native = {
  mainThread: 1,
  close: () => 0,
  adopt: () => 0,
  release: () => 0,
  posixOpen: () => one(3, EACCES, ENOENT),
  posixAttributes(fd, into) {
    for (let i = 0; i < into.length; i++) into[i] = lot(256);
    return 0;
  },
  socket: () => 4,
  bind: () => one(EADDRINUSE, 0, EADDRINUSE, EACCES),
  connect: () => one(ECONNREFUSED, 0, ENOENT),
  limitMode: () => 0,
  setMode: () => one(0, 0, ENOENT),
  openDirectory: () => 5,
  openLock: () => one(6, 6, 6, EACCES),
  peerPidfd: () => one(7, 7, ENOPROTOOPT),
  poll: () => lot(2),
  getOption(fd, level, option, into) {
    foreign.reads += 1;
    if (lot(8) === 7) return ENOPROTOOPT;
    foreign.bytes.copy(into);
    return into.length;
  },
};

export const binding = () => native;
