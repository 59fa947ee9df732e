// Faults that have found something, which is mended: they are tried each time, in the short form too.
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

export const FOUND = [
  // openReader() and openWriter() took EAGAIN of open(2), on their thread, for one that goes on.
  ...range(3, 5).flatMap((when) =>
    ['openat', 'fcntl'].map((call) => ({ scene: 'fifo waiting', call, error: 'EAGAIN', when })),
  ),
  // ProcessHandle.exited took poll(2)'s failure for the process's end.
  ...range(1, 3).map((when) => ({ scene: 'signal pidfd', call: 'poll', error: 'ENOMEM', when })),
  // reap() said nothing of a record that it could not open, and took one for alone where it could not look for others.
  ...range(2, 12).flatMap((when) =>
    ['openat', 'open'].map((call) => ({ scene: 'core reap', call, error: 'EMFILE', when })),
  ),
  // watch() said nothing where signalfd(2) did not take its signals.
  { scene: 'signal', call: 'signalfd4', error: 'ENOMEM', when: 2 },
  // popen() left its output open where the wait for it failed.
  ...range(1, 3).map((when) => ({ scene: 'popen', call: 'poll', error: 'ENOMEM', when })),
  // A child was reaped by nobody where waitid(2) failed.
  ...range(1, 3).map((when) => ({ scene: 'popen', call: 'waitid', error: 'EPERM', when })),
  // A start with dieWithParent waited for ever where its keeper could not be told.
  ...range(1, 4).map((when) => ({ scene: 'popen guarded', call: 'write', error: 'EPERM', when })),
  // connect() lost its descriptor where that could not be taken back from what had waited.
  ...range(2, 4).map((when) => ({ scene: 'socket TCP', call: 'fcntl', error: 'EINTR', when })),
  // accept() dropped a connection in silence where an option of it could not be set.
  ...range(2, 4).map((when) => ({
    scene: 'socket TCP',
    call: 'setsockopt',
    error: 'EMFILE',
    when,
  })),
];
