// FIFOs of one process, as the C programs of the pipe and fifo suites have them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "bench.h"

/// A FIFO that was made for a moment, where the temporary files are: reads and writes of one update
/// its inode's times, which depends on its file system.
static const char* MakeFifo(void) {
  static char path[128];
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/octoipc-bench-%d", folder != NULL ? folder : "/tmp",
           (int)getpid());
  if (mkfifo(path, 0600) != 0) Fail("mkfifo");
  return path;
}

/// Both ends of a pipe or of a FIFO, in blocking mode.
static void OpenEnds(int fds[2], int named) {
  if (!named) {
    if (pipe2(fds, O_CLOEXEC) != 0) Fail("pipe2");
    return;
  }
  const char* path = MakeFifo();
  fds[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  fds[1] = open(path, O_WRONLY | O_CLOEXEC);
  unlink(path);
  if (fds[0] < 0 || fds[1] < 0 || fcntl(fds[0], F_SETFL, 0) != 0) Fail("open");
}
