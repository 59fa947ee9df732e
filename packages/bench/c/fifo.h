// FIFOs of one process, as the C programs of the pipe, fifo and producers suites have them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "bench.h"

/// A FIFO that was made for a moment, where the temporary files are: reads and writes of one update
/// its inode's times, which depends on its file system.
struct Fifo {
  struct Folder folder;
  char path[sizeof(struct Folder) + 8];
};

static inline struct Fifo MakeFifo(void) {
  struct Fifo fifo = {.folder = MakeFolder()};
  snprintf(fifo.path, sizeof fifo.path, "%s/fifo", fifo.folder.path);
  if (mkfifo(fifo.path, 0600) != 0) Fail("mkfifo");
  return fifo;
}

static inline void RemoveFifo(const struct Fifo* fifo) {
  unlink(fifo->path);
  rmdir(fifo->folder.path);
}

/// Both ends of a pipe or of a FIFO, in blocking mode.
static inline void OpenEnds(int fds[2], int named) {
  if (!named) {
    if (pipe2(fds, O_CLOEXEC) != 0) Fail("pipe2");
    return;
  }
  const struct Fifo fifo = MakeFifo();
  fds[0] = open(fifo.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  fds[1] = open(fifo.path, O_WRONLY | O_CLOEXEC);
  if (fds[0] < 0 || fds[1] < 0 || fcntl(fds[0], F_SETFL, 0) != 0) Fail("open");
  RemoveFifo(&fifo);
}
