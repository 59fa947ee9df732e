// Faults that have found something, which is mended: they are tried each time, in the short form too.
export const FOUND = [
  // openReader() and openWriter() took EAGAIN of open(2), on their thread, for one that goes on.
  ...[3, 4, 5].flatMap((when) =>
    ['openat', 'fcntl'].map((call) => ({ scene: 'fifo waiting', call, error: 'EAGAIN', when })),
  ),
  // ProcessHandle.exited took poll(2)'s failure for the process's end.
  ...[1, 2, 3].map((when) => ({ scene: 'signal pidfd', call: 'poll', error: 'ENOMEM', when })),
];
